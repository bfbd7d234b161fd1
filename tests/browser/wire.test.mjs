// A stream in a bare <img>, as people embed it: Chromium shows a part only when the headers of the next one have come.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { launch, open } from './chromium.mjs';
import { Server } from './server.mjs';
import { until } from './stage.mjs';

/** Between two pictures; longer than any delay that would pass for prompt. */
const INTERVAL_MS = 700;
/** A picture that waits for the next one is late by a whole interval; a prompt one by the time this takes to look. */
const PROMPT_MS = 350;
const COLOURS = [[220, 30, 30], [30, 200, 40], [40, 60, 220], [230, 220, 40], [200, 40, 200], [40, 210, 220]];

let browser;
let server;
before(async () => {
  browser = await launch();
  server = await Server.start(['--pipeline', 'passthrough']);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** One JPEG of each colour, 512x512. */
async function jpegs(page) {
  const encoded = await page.evaluate(async (colours) => {
    const canvas = new OffscreenCanvas(512, 512);
    const context = canvas.getContext('2d');
    const all = [];
    for (const [red, green, blue] of colours) {
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(0, 0, 512, 512);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
      all.push([...new Uint8Array(await blob.arrayBuffer())]);
    }
    return all;
  }, COLOURS);
  return encoded.map((bytes) => Buffer.from(bytes));
}

/** What the <img> shows in its middle. */
const shown = (page) =>
  page.evaluate(() => {
    const image = document.querySelector('img');
    if (!image?.naturalWidth) return null;
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    context.drawImage(image, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  });

const near = (one, other) => one !== null && one.every((value, index) => Math.abs(value - other[index]) < 12);

/** How long after each picture was sent the <img> at `query` showed it, in ms; the first one opens the stream. */
async function delays(query) {
  const { page } = await open(browser);
  await page.goto(`${server.url}/health`);
  const pictures = await jpegs(page);
  const created = await fetch(`${server.url}/api/sessions`, { method: 'POST', body: '{}' });
  const { id, control } = await created.json();
  const send = async (body) => {
    const headers = { Authorization: `Bearer ${control}`, 'Content-Type': 'image/jpeg' };
    const answer = await fetch(`${server.url}/api/sessions/${id}/frame`, { method: 'POST', headers, body });
    assert.equal(answer.status, 202);
  };
  await send(pictures[0]);
  await page.setContent(`<img src="/api/stream/${id}${query}">`);
  await until('the first picture in the <img>', async () => near(await shown(page), COLOURS[0]));
  await wait(2 * INTERVAL_MS);
  const times = [];
  for (const [index, picture] of pictures.entries()) {
    if (index === 0) continue;
    const sent = performance.now();
    await send(picture);
    while (!near(await shown(page), COLOURS[index]) && performance.now() - sent < 5000) await wait(5);
    times.push(performance.now() - sent);
    await wait(Math.max(0, INTERVAL_MS - (performance.now() - sent)));
  }
  await page.context().close();
  return times;
}

test('an <img> shows each picture at once', async (t) => {
  const times = await delays('');
  t.diagnostic(`shown after ${times.map(Math.round).join(', ')} ms`);
  for (const time of times) assert.ok(time < PROMPT_MS, `a picture was shown after ${Math.round(time)} ms`);
});

test('on the wire of players it shows them late, which is why there are two', async (t) => {
  const times = await delays('?wire=length');
  t.diagnostic(`shown after ${times.map(Math.round).join(', ')} ms`);
  assert.ok(Math.max(...times) > PROMPT_MS, 'this wire would do for all');
});
