// How late Chromium's <img> shows a picture, from the moment it is handed to the server: Limn beside the framings of
// other servers, which take turns in one run. `node delay.mjs [ROUNDS]` prints the table.
//
// A browser decodes a picture when it has the whole of it and paints it when its screen's clock next ticks, 60 times a
// second. So two times are noted: `decoded`, when drawing the <img> to a canvas first gives the new colour, looked at
// every 4 ms; and `painted`, the first animation frame in which it does. What is between them is the browser's own.

import { argv } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { launch, open } from './chromium.mjs';
import { COLOURS, jpegs, shown } from './colours.mjs';
import { Echo } from './echo.mjs';
import { Server } from './server.mjs';
import { until } from './stage.mjs';

/** Between two pictures; longer than any delay that would pass for prompt. */
export const INTERVAL_MS = 700;
/** The screen's tick. 42 of them are 700 ms, so what is sent at that pace would meet each at the same point. */
const TICK_MS = 1000 / 60;
/** A burst is so many pictures at a camera's pace, and then none for a while. */
const BURST = 10;
const BURST_MS = 33;

/** Begins to note, in the page, each change of the <img>'s colour and when it was seen. */
function watch(colours) {
  const image = document.querySelector('img');
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  window.seen = { decoded: [], painted: [] };
  const look = (clocks) => {
    context.drawImage(image, 0, 0, 1, 1);
    const pixel = context.getImageData(0, 0, 1, 1).data;
    const colour = colours.findIndex((one) => one.every((value, index) => Math.abs(value - pixel[index]) < 12));
    if (colour < 0) return;
    for (const changes of clocks) {
      if (colour !== changes.at(-1)?.colour) changes.push({ colour, time: performance.now() });
    }
  };
  const { decoded, painted } = window.seen;
  setInterval(() => look([decoded]), 4);
  const frame = () => {
    look([decoded, painted]);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** What to add to a time of the page to have it on this process's clock: the best of many questions. */
async function offset(page) {
  let best = { took: Infinity };
  for (let question = 0; question < 30; question += 1) {
    const asked = performance.now();
    const there = await page.evaluate(() => performance.now());
    const took = performance.now() - asked;
    if (took < best.took) best = { took, add: asked + took / 2 - there };
  }
  return best.add;
}

/** When a colour first showed after it was sent, on each of the two clocks; Infinity if it never did. */
const after = (sent, changes, add) =>
  (changes.find(({ colour, time }) => colour === sent.colour && time + add >= sent.time)?.time ?? Infinity) + add - sent.time;

/** Delays in ms, of `rounds` times five pictures each by itself and of the last of `rounds` bursts, in a stream of `server`. */
export async function delays(browser, server, { query = '', rounds = 1 } = {}) {
  const { page } = await open(browser);
  const camera = await server.session();
  try {
    const pictures = await jpegs(page);
    // A page of the same origin, or the canvas could not be read; it has nothing else to do.
    const origin = new URL(camera.stream).origin;
    await page.route(`${origin}/empty`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
    await page.goto(`${origin}/empty`);
    // Loaded is an <img> with its first picture, and there is none yet.
    await page.setContent(`<img src="${camera.stream}${query}">`, { waitUntil: 'domcontentloaded' });
    await until('the first picture in the <img>', async () => {
      camera.show(pictures[0]);
      await wait(100);
      camera.show(pictures[5]);
      await wait(100);
      return (await shown(page))[0] >= 0;
    });
    await page.evaluate(watch, COLOURS);
    await wait(2 * INTERVAL_MS);
    const add = await offset(page);
    const each = [];
    const last = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const colour of [0, 1, 2, 3, 4]) {
        each.push({ colour, time: camera.show(pictures[colour]) });
        await wait(INTERVAL_MS + Math.random() * TICK_MS);
      }
      let sent;
      for (let number = 0; number < BURST; number += 1) {
        const colour = number % 6;
        sent = { colour, time: camera.show(pictures[colour]) };
        await wait(BURST_MS);
      }
      last.push(sent);
      await wait(3 * INTERVAL_MS);
    }
    const seen = await page.evaluate(() => window.seen);
    const times = (sent) => ({ decoded: after(sent, seen.decoded, add), painted: after(sent, seen.painted, add) });
    return { each: each.map(times), last: last.map(times) };
  } finally {
    await camera.stop();
    await page.context().close();
  }
}

async function main(rounds) {
  const browser = await launch();
  const limn = await Server.start(['--pipeline', 'passthrough', '--max-sessions', '0']);
  const [first, last] = await Promise.all(['first', 'last'].map((boundary) => Echo.start(boundary)));
  const rows = [
    ['Limn', limn],
    ['Limn, `?wire=length`', limn, '?wire=length'],
    ['echo, boundary first + `Content-Length`', first],
    ['echo, boundary last + `Content-Length`', last],
  ];
  const seen = new Map(rows.map(([name]) => [name, { each: [], last: [] }]));
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, server, query] of rows) {
        const { each, last } = await delays(browser, server, { query });
        seen.get(name).each.push(...each);
        seen.get(name).last.push(...last);
      }
    }
  } finally {
    await browser.close();
    await Promise.all([limn, first, last].map((server) => server.stop()));
  }
  console.log('| server | decoded p50 / max ms | painted p50 / max ms | last of a burst: decoded p50 / max | painted p50 / max |');
  console.log('|---|---|---|---|---|');
  for (const [name, { each, last }] of seen) {
    const cells = [each, last].flatMap((times) => ['decoded', 'painted'].map((clock) => pair(times.map((time) => time[clock]))));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

function pair(times) {
  const sorted = [...times].sort((one, other) => one - other);
  return [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((time) => (time < Infinity ? time.toFixed(1) : 'never')).join(' / ');
}

if (import.meta.url === pathToFileURL(argv[1]).href) await main(Number(argv[2] ?? 5));
