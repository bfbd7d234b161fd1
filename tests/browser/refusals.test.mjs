// What the page says and does when it does not get what it wants.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { launch, open } from './chromium.mjs';
import { PHOTOGRAPH } from './photograph.mjs';
import { Proxy } from './proxy.mjs';
import { Server, freePort } from './server.mjs';
import { contrast, painted, stands, streamUrl, until } from './stage.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

const FAST = ['--pipeline', 'passthrough'];

/** A page at `url` that paints the camera. */
async function camera(url) {
  const { page, errors } = await open(browser);
  await page.goto(url);
  await page.getByTestId('start-camera').click();
  await stands(page, 'live');
  await painted(page);
  return { page, errors };
}

const id = async (page) => new URL(await streamUrl(page)).pathname.split('/')[3];

test('a camera that is refused: words, and a picture works', async (t) => {
  const server = await Server.during(t, FAST);
  const refusing = await launch('refused');
  t.after(() => refusing.close());
  const { page, errors } = await open(refusing);
  await page.goto(server.url);
  await page.getByTestId('start-camera').click();
  await until('words about the camera', async () => /camera was refused/i.test(await page.getByTestId('error').textContent()));
  await page.getByTestId('start-picture-file').setInputFiles(PHOTOGRAPH);
  await stands(page, 'live');
  assert.ok(contrast(await painted(page)) > 20);
  assert.equal(await page.getByTestId('error').count(), 0);
  assert.deepEqual(errors, []);
});

test('a server that is full: words, and a place as soon as one is free', async (t) => {
  const server = await Server.during(t, [...FAST, '--max-sessions', '1']);
  const first = await camera(server.url);
  const second = await open(browser);
  await second.page.goto(server.url);
  await second.page.getByTestId('start-camera').click();
  await stands(second.page, 'full');
  assert.match(await second.page.getByTestId('waiting').textContent(), /The server is full/);
  await first.page.getByTestId('stop').click();
  await second.page.getByTestId('retry').click();
  await stands(second.page, 'live');
  await painted(second.page);
  for (const { errors } of [first, second]) assert.deepEqual(errors, []);
});

test('a wire that is cut: the page finds its session again by itself', async (t) => {
  const server = await Server.during(t, FAST);
  const proxy = await Proxy.start(server.port);
  t.after(() => proxy.stop());
  const { page } = await camera(proxy.url);
  const key = await id(page);
  const before = await server.json(`/api/sessions/${key}`);
  proxy.cut();
  await stands(page, 'away', 5000);
  await stands(page, 'live');
  assert.equal(await id(page), key);
  const now = await until('frames after the cut', async () => {
    const state = await server.json(`/api/sessions/${key}`);
    return state.stats.painted > before.stats.painted + 5 ? state : null;
  });
  assert.ok(now.age_secs >= before.age_secs, 'the session began anew');
  assert.equal((await server.json('/api/queue')).queue_size, 1);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`a server that goes away by ${signal} and comes back: so does the page, with its name and its values`, async (t) => {
    const port = await freePort();
    const gone = await Server.during(t, ['--pipeline', 'canny'], port);
    const { page } = await camera(gone.url);
    const key = await id(page);
    await page.getByTestId('param-canny_low').fill('77');
    await gone.stop(signal);
    await stands(page, 'away', 10_000);
    assert.match(await page.getByTestId('waiting').textContent(), /server/);
    await Server.during(t, ['--pipeline', 'canny'], port);
    await stands(page, 'live');
    await painted(page);
    assert.equal(await id(page), key);
    assert.equal(await page.getByTestId('param-canny_low').inputValue(), '77');
    });
}
