// The page as an instrument: presets on keys, a cross-fade, knobs, saving, recording, sharing; and the operator's desk.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { launch, open } from './chromium.mjs';
import { PHOTOGRAPH } from './photograph.mjs';
import { ROOT, Server } from './server.mjs';
import { changed, contrast, difference, painted, picture, stands, until } from './stage.mjs';

const SCREENS = join(ROOT, '.fixtures/screens');

let browser;
let server;
before(async () => {
  mkdirSync(SCREENS, { recursive: true });
  browser = await launch();
  server = await Server.start(['--model', 'embedded', '--pipeline', 'img2img', '--max-sessions', '0']);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

/** A page that paints; `source` presses its button or sets its file. */
async function playing(source, init) {
  const { page, errors } = await open(browser, { width: 1440, height: 1000 });
  if (init) await page.addInitScript(init);
  await page.goto(server.url);
  await source(page);
  await stands(page, 'live');
  await painted(page);
  return { page, errors };
}

const photograph = (page) => page.getByTestId('start-picture-file').setInputFiles(PHOTOGRAPH);
const pattern = (page) => page.getByTestId('start-pattern').click();
const value = (page, name) => page.getByTestId(`param-${name}`).inputValue();

/** No fault that axe calls serious or critical, in the light and in the dark. */
async function accessible(page) {
  // As the devtools would, since the page's policy lets no script in beside its own.
  await page.evaluate(readFileSync(join(import.meta.dirname, 'node_modules/axe-core/axe.min.js'), 'utf8'));
  for (const colorScheme of ['dark', 'light']) {
    // Halfway between two colours nothing has its contrast.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate(() => axe.run());
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(grave.map(({ id, nodes }) => `${colorScheme}, ${id}: ${nodes.map(({ html }) => html).join(' | ')}`), []);
  }
}

/** The file that a click hands over. */
async function file(page, testid) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(testid).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

test('presets on the number keys, favourites, one of your own, and the file they travel in', async () => {
  const { page, errors } = await playing(photograph);
  const before = await picture(page);
  await page.locator('body').press('1');
  await until('the first preset', async () => (await value(page, 'prompt')) === 'neon');
  const neon = await changed(page, before, 10);
  const bright = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;
  assert.ok(bright(neon) < bright(before), 'neon is dark');
  // What somebody writes is no music.
  await page.getByTestId('param-prompt').fill('ink 2');
  await page.getByTestId('param-prompt').press('3');
  assert.equal(await value(page, 'prompt'), 'ink 23');
  await page.getByTestId('param-prompt').fill('my own words');
  await page.getByTestId('library').locator('summary').click();
  await page.getByTestId('preset-name').fill('Mine');
  await page.getByTestId('preset-add').click();
  const own = page.getByTestId('preset').filter({ hasText: 'Mine' });
  await own.waitFor();
  assert.match(await own.locator('img').getAttribute('src'), /^data:image\/jpeg/);
  const stars = page.getByTestId('star');
  await stars.last().click();
  await until('favourites come first', async () => (await page.getByTestId('preset').first().innerText()).includes('Mine'));
  const exported = await file(page, 'preset-export');
  const presets = JSON.parse(exported.bytes);
  assert.equal(presets.limn, 'presets');
  const mine = presets.presets.find(({ name }) => name === 'Mine');
  assert.deepEqual([mine.values.prompt, mine.favourite], ['my own words', true]);
  await page.getByTestId('preset-remove').click();
  assert.equal(await own.count(), 0);
  await page.getByTestId('preset-import').setInputFiles({ name: 'mine.json', mimeType: 'application/json', buffer: exported.bytes });
  await own.waitFor();
  await page.getByTestId('preset-import').setInputFiles({ name: 'notes.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
  await page.getByText('Nothing was taken: the file holds no presets of Limn.').waitFor();
  await until('words that stayed are remembered', async () => (await page.getByTestId('history').locator('option').allInnerTexts()).includes('my own words'));
  await page.reload();
  await page.getByTestId('start-picture-file').waitFor({ state: 'attached' });
  await page.getByTestId('preset').filter({ hasText: 'Mine' }).waitFor();
  assert.deepEqual(errors, []);
});

test('a cross-fade under the thumb, and one by the clock', async () => {
  const { page, errors } = await playing(photograph);
  await page.getByTestId('fader-a').fill('sunset');
  await page.getByTestId('fader-b').fill('ice');
  const warm = (values) => values.reduce((sum, each, index) => sum + [1, 0, -1][index % 3] * each, 0) / (values.length / 3);
  const sunset = await until('a warm picture', async () => {
    const now = await picture(page);
    return warm(now) > 40 ? now : null;
  });
  await page.getByTestId('morph-seconds').fill('1.5');
  const seen = [];
  await page.getByTestId('morph').click();
  const ice = await until('a cold picture', async () => {
    const now = await picture(page);
    seen.push(warm(now));
    return warm(now) < -20 && (await page.getByTestId('morph').innerText()) === 'Morph to A' ? now : null;
  });
  assert.ok(difference(sunset, ice) > 20);
  assert.ok(seen.some((each) => each < 30 && each > -10), `something lies between: ${seen.map(Math.round)}`);
  assert.equal(await page.getByTestId('fader-blend').inputValue(), '1');
  await page.getByTestId('fader-blend').fill('0');
  await until('it is warm again', async () => warm(await picture(page)) > 40);
  assert.deepEqual(errors, []);
});

/** A MIDI device that the test turns: `window.turn(status, number, level)`. */
function fakeMidi() {
  const input = { name: 'Test knobs', onmidimessage: null };
  window.turn = (...data) => input.onmidimessage({ data: Uint8Array.from(data) });
  navigator.requestMIDIAccess = async () => ({ inputs: new Map([['1', input]]), onstatechange: null });
}

test('a knob learns a parameter and a key learns a preset; a reload keeps both', async () => {
  const { page, errors } = await playing(photograph, fakeMidi);
  const connect = async () => {
    await page.getByTestId('knobs').locator('summary').click();
    await page.getByTestId('knobs-connect').click();
    await page.getByText('Listening to Test knobs and gamepads.').waitFor();
  };
  const turn = (...data) => page.evaluate((data) => window.turn(...data), data);
  await connect();
  await page.getByTestId('learn-strength').click();
  assert.match(await page.getByTestId('knobs-learning').innerText(), /strength/);
  await turn(0xb0, 7, 127);
  assert.equal(await page.getByTestId('binding').innerText(), 'midi 1 knob 7 → strength\nForget');
  const [least, most] = await page.getByTestId('param-strength').evaluate(({ min, max }) => [min, max]);
  assert.equal(await value(page, 'strength'), most);
  await turn(0xb0, 7, 0);
  assert.equal(await value(page, 'strength'), least);
  await page.getByRole('button', { name: 'Learn', exact: true }).first().click();
  await turn(0x90, 60, 100);
  await page.getByTestId('param-prompt').fill('something else');
  await turn(0x90, 60, 100);
  assert.equal(await value(page, 'prompt'), 'neon');
  await page.reload();
  await connect();
  await turn(0xb0, 7, 127);
  assert.equal(await value(page, 'strength'), most);
  assert.deepEqual(errors, []);
});

test('what is on the stage is saved with its parameters, recorded, compared and shared', async () => {
  const { page, errors } = await playing(pattern);
  assert.ok(contrast(await picture(page)) > 20);
  await page.getByTestId('param-prompt').fill('vintage & "old"');
  for (const [testid, name, magic] of [['save-jpeg', /^limn-.*\.jpg$/, 'ffd8ff'], ['save-png', /^limn-.*\.png$/, '89504e47']]) {
    const saved = await file(page, testid);
    assert.match(saved.name, name);
    assert.equal(saved.bytes.toString('hex', 0, magic.length / 2), magic);
    const text = saved.bytes.toString('latin1');
    assert.match(text, /<rdf:li xml:lang="x-default">vintage &amp; &quot;old&quot;<\/rdf:li>/);
    assert.match(text, /limn:row="img2img"/);
  }
  await page.getByTestId('record').click();
  await until('two seconds', async () => /0:0[2-9]/.test(await page.getByTestId('record').innerText()));
  const recorded = await file(page, 'record');
  assert.match(recorded.name, /\.(webm|mp4)$/);
  assert.ok(recorded.bytes.length > 10_000, `${recorded.bytes.length} bytes`);
  await page.getByTestId('compare').click();
  const split = page.getByTestId('split');
  await split.fill('25');
  assert.equal(await page.getByTestId('preview').count(), 0);
  await page.screenshot({ path: join(SCREENS, 'split-1440x1000.png') });
  await page.getByTestId('compare').click();
  await page.getByTestId('open-share').click();
  await page.getByTestId('qr').locator('svg').waitFor();
  const watch = await page.getByTestId('url-watch').inputValue();
  await page.screenshot({ path: join(SCREENS, 'share-1440x1000.png') });
  await accessible(page);
  await page.getByTestId('share-close').click();
  const viewer = await page.context().newPage();
  await viewer.goto(watch);
  await viewer.locator('canvas[data-size="256x256"]').waitFor();
  assert.equal(await viewer.locator('body > :not(script)').count(), 1, 'the picture and nothing else');
  for (const trace of ['fps-in', 'fps-painted', 'latency']) await page.getByTestId(`trace-${trace}`).locator('polyline').waitFor();
  await accessible(page);
  assert.deepEqual(errors, []);
});

test('a clip plays again and again as a camera would', async () => {
  const { page, errors } = await playing(pattern);
  await page.getByTestId('record').click();
  await until('a second', async () => /0:0[1-9]/.test(await page.getByTestId('record').innerText()));
  const { name, bytes } = await file(page, 'record');
  await page.getByTestId('source-picture-file').setInputFiles({ name, mimeType: name.endsWith('mp4') ? 'video/mp4' : 'video/webm', buffer: bytes });
  await until('the clip is the source', async () => (await page.getByTestId('source').getAttribute('data-kind')) === 'clip');
  const first = await picture(page);
  await changed(page, first, 1);
  assert.deepEqual(errors, []);
});

// `make soak` lets it paint for longer.
const PAINTED_MINUTES = Number(process.env.LIMN_SOAK_MINUTES ?? 1);

test('minutes of painting leave no more behind than ten seconds did', async () => {
  const { page, errors } = await playing(pattern);
  const devtools = await page.context().newCDPSession(page);
  const held = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    return (await devtools.send('Runtime.getHeapUsage')).usedSize / 1e6;
  };
  await page.waitForTimeout(10_000);
  const before = await held();
  await page.waitForTimeout(PAINTED_MINUTES * 60_000 - 10_000);
  const after = await held();
  assert.ok(after - before < 1, `${before.toFixed(1)} MB, then ${after.toFixed(1)}`);
  assert.deepEqual(errors, []);
});

test('the page is small: under 200 kB compressed, without its pictures', () => {
  const folder = join(ROOT, 'frontend/dist/assets');
  const files = readdirSync(folder).filter((name) => /\.(js|css)$/.test(name));
  const size = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
  assert.ok(size < 200_000, `${size} bytes`);
});

test('the desk shows every session, cuts, fades and ends them', async (t) => {
  const own = await Server.during(t, ['--pipeline', 'passthrough', '--max-sessions', '0']);
  const begin = (source, label) =>
    fetch(`${own.url}/api/sessions`, { method: 'POST', body: JSON.stringify({ source, label }), headers: { 'content-type': 'application/json' } });
  await begin('pattern:320x320@20', 'left');
  await begin('pattern:320x320@10', 'right');
  const { page, errors } = await open(browser, { width: 1440, height: 900 });
  await page.goto(`${own.url}/desk`);
  const seat = (name) => page.getByTestId('seat').filter({ hasText: name });
  await seat('left').getByTestId('monitor').waitFor();
  await seat('right').getByTestId('monitor').waitFor();
  const onAir = async () => (await (await fetch(`${own.url}/api/program`)).json()).session;
  await until('right is on air', async () => (await seat('right').getAttribute('data-on')) === 'true');
  const right = await onAir();
  await seat('left').getByTestId('cut').click();
  await until('left is on air', async () => (await seat('left').getAttribute('data-on')) === 'true');
  await page.getByTestId('fade-seconds').fill('0.3');
  await seat('right').getByTestId('fade').click();
  await until('right is on air', async () => (await onAir()) === right);
  await page.locator('body').press('1');
  await until('the key 1 cuts to left', async () => (await onAir()) !== right);
  await page.screenshot({ path: join(SCREENS, 'desk-1440x900.png') });
  await accessible(page);
  for (const width of [390, 3840]) {
    await page.setViewportSize({ width, height: 844 });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  page.on('dialog', (dialog) => dialog.accept());
  await seat('right').getByTestId('end').click();
  await until('right has gone', async () => (await page.getByTestId('seat').count()) === 1);
  assert.deepEqual(errors, []);
});
