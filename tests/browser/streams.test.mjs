// The page with a camera: each pipeline paints it, a change of prompt changes the picture, others watch meanwhile.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { promisify } from 'node:util';
import { launch, open } from './chromium.mjs';
import { PHOTOGRAPH } from './photograph.mjs';
import { ROOT, Server } from './server.mjs';
import { changed, difference, painted, picture, settled, stands, streamUrl, until } from './stage.mjs';

const run = promisify(execFile);
/** In the mean of all values: far above what JPEG does, far below what another prompt does. */
const ANOTHER_PICTURE = 2;
/** Two paintings of the same are not further apart than this. */
const SAME_PICTURE = 0.5;
/** Pictures that a program reads: few enough for a pipeline that takes a second for each, and more than the server
 * repeats while whatever else runs on the machine keeps the painter, which gives way to everything, from painting. */
const READ = 12;

let browser;
let server;
before(async () => {
  browser = await launch();
  // A browser that closes a page breaks its socket without a word, and the session waits a while for its owner.
  server = await Server.start(['--max-sessions', '16', '--idle-timeout', '10']);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// A page that a failed test left open would hold its place on the server.
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

/** The page with `row` chosen. */
async function ready(row) {
  const { page, errors } = await open(browser);
  await page.goto(server.url);
  await page.getByTestId('pipeline').selectOption(row);
  return { page, errors };
}

/** The page with `row` painting the camera. */
async function camera(row) {
  const { page, errors } = await ready(row);
  await page.getByTestId('start-camera').click();
  await stands(page, 'live');
  const first = await painted(page);
  return { page, errors, first };
}

/** What a program that reads MJPEG sees of the stream at `url`. */
async function reader(program, url, count) {
  const script = join(ROOT, 'tests/clients/readers.py');
  const { stdout } = await run(join(ROOT, '.venv/bin/python'), [script, program, url, String(count)], { timeout: 120_000 });
  return JSON.parse(stdout);
}

/** How much redder than blue a picture is in the mean, of 255. */
const warmth = (values) => (values.reduce((sum, value, index) => sum + [value, 0, -value][index % 3], 0) * 3) / values.length;

for (const row of ['controlnet', 'img2img', 'lcm']) {
  test(`${row} paints the camera while ffmpeg and OpenCV watch`, async () => {
    const { page, errors, first } = await camera(row);
    await changed(page, first, ANOTHER_PICTURE);
    const url = await streamUrl(page);
    for (const seen of await Promise.all([reader('ffmpeg', url, READ), reader('opencv', url, READ)])) {
      assert.equal(seen.pictures, READ);
      assert.deepEqual(seen.size, [256, 256]);
      assert.ok(seen.moved > 0, 'the reader saw a picture that stands still');
      assert.ok(seen.contrast > 1, 'the reader saw one even colour');
    }
    assert.equal(await page.getByTestId('stat-pipeline').textContent(), row);
    assert.deepEqual(errors, []);
  });

  test(`${row} paints what the prompt means, and the first picture again for the first prompt`, async (t) => {
    // A session that is still there from the test before shares the calls of this one, and bf16 rounds otherwise in a batch.
    await until('no other session', async () => (await server.json('/api/sessions')).sessions.length === 0);
    const { page, errors } = await ready(row);
    const prompt = page.getByTestId('param-prompt');
    await prompt.fill('sunset');
    await page.getByTestId('start-picture-file').setInputFiles(PHOTOGRAPH);
    await stands(page, 'live');
    const path = new URL(await streamUrl(page)).pathname.replace('/stream.mjpeg', '');
    const session = () => server.json(path);
    const sunset = await settled(page, session);
    assert.ok(warmth(sunset) > 30, `a sunset is warm, and this is ${warmth(sunset)}`);
    await prompt.fill('ice');
    await changed(page, sunset, ANOTHER_PICTURE);
    const ice = await settled(page, session);
    assert.ok(warmth(ice) < -15, `ice is cold, and this is ${warmth(ice)}`);
    await prompt.fill('sunset');
    await changed(page, ice, ANOTHER_PICTURE);
    const again = difference(await settled(page, session), sunset);
    t.diagnostic(`the same prompt painted a picture ${again} of 255 away`);
    assert.ok(again < SAME_PICTURE, `the same prompt painted another picture, ${again} of 255 away`);
    assert.deepEqual(errors, []);
  });
}

test('canny draws the edges of the camera, and a slider moves them', async () => {
  const { page, errors, first } = await camera('canny');
  await changed(page, first, ANOTHER_PICTURE);
  const light = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(light(await picture(page)) > 2, 'no edges');
  await page.getByTestId('param-canny_low').fill('1000');
  await page.getByTestId('param-canny_high').fill('1000');
  await until('fewer edges', async () => light(await picture(page)) < 2);
  assert.deepEqual(errors, []);
});

test('the row changes while the camera plays', async () => {
  const { page, errors } = await camera('passthrough');
  const photograph = await picture(page);
  await page.getByTestId('pipeline').selectOption('canny');
  const edges = await changed(page, photograph, 20);
  await page.getByTestId('pipeline').selectOption('passthrough');
  await changed(page, edges, 20);
  assert.deepEqual(errors, []);
});
