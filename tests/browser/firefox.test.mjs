// A stream in a bare <img> of Firefox, which shows a part when the boundary behind it has come: seen on screenshots,
// since those are what Firefox paints and not what it has decoded.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { colour, jpegs } from './colours.mjs';
import { Echo } from './echo.mjs';
import { launch } from './firefox.mjs';
import { Server } from './server.mjs';
import { until } from './stage.mjs';

/** From a picture's sending to the screenshot that must have it; how long that takes is added by Firefox. */
const PROMPT_MS = 150;
/** Between two pictures: one that waits for the next is not there at 150 ms by far. */
const INTERVAL_MS = 700;

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

/** The colour in the middle of a screenshot, decoded by a page that has nothing else to do. */
async function photographed(page, decoder) {
  const png = await page.screenshot({ encoding: 'base64' });
  const pixel = await decoder.evaluate(async (base64) => {
    const blob = await (await fetch(`data:image/png;base64,${base64}`)).blob();
    const picture = await createImageBitmap(blob);
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    context.drawImage(picture, -picture.width / 2, -picture.height / 2);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }, png);
  return colour(pixel);
}

/** What Firefox has painted of five pictures, each `PROMPT_MS` after it was sent into a stream of `from`. */
async function painted(t, from) {
  const camera = await from.session();
  t.after(() => camera.stop());
  const decoder = await browser.newPage();
  const pictures = await jpegs(decoder);
  const page = await browser.newPage();
  await page.evaluate((url) => {
    document.body.innerHTML = `<img src="${url}" style="position: fixed; inset: 0; width: 100%; height: 100%">`;
  }, camera.stream);
  await until('a picture in the <img>', async () => {
    camera.show(pictures[0]);
    await wait(100);
    return (await photographed(page, decoder)) === 0;
  });
  const seen = [];
  const took = [];
  for (const number of [1, 2, 3, 4, 5]) {
    await wait(INTERVAL_MS);
    const sent = camera.show(pictures[number]);
    await wait(PROMPT_MS);
    const asked = performance.now();
    seen.push(await photographed(page, decoder));
    took.push(`${Math.round(asked - sent)} to ${Math.round(performance.now() - sent)}`);
  }
  t.diagnostic(`screenshots were taken ${took.join(', ')} ms after a picture was sent`);
  await Promise.all([page.close(), decoder.close()]);
  return seen;
}

test('Firefox has painted each picture 150 ms after it was sent', async (t) => {
  assert.deepEqual(await painted(t, server), [1, 2, 3, 4, 5]);
});

test('and it has not where a boundary comes only with the next picture, which these screenshots can see', async (t) => {
  const echo = await Echo.start('first');
  t.after(() => echo.stop());
  assert.deepEqual(await painted(t, echo), [0, 1, 2, 3, 4]);
});
