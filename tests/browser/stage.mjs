// What the page shows, read from its pixels.

import { setTimeout as wait } from 'node:timers/promises';

const SIDE = 32;

/** The stream's picture, shrunk to 32x32, RGB, 0..255 each; null while none was painted. */
export function picture(page) {
  return page.evaluate((side) => {
    const stream = document.querySelector('[data-testid=stream]');
    if (stream?.dataset.painted !== 'true') return null;
    const small = new OffscreenCanvas(side, side).getContext('2d');
    small.drawImage(stream, 0, 0, side, side);
    return [...small.getImageData(0, 0, side, side).data].filter((_, index) => index % 4 !== 3);
  }, SIDE);
}

/** The mean difference of two pictures, in steps of 255. */
export function difference(one, other) {
  return one.reduce((sum, value, index) => sum + Math.abs(value - other[index]), 0) / one.length;
}

/** How much the values of a picture differ among themselves: 0 is one even colour. */
export function contrast(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + Math.abs(value - mean), 0) / values.length;
}

/** Asks again and again until `answer()` is true-ish, and returns it; an error with `what` after `ms`. */
export async function until(what, answer, ms = 30_000) {
  for (const end = Date.now() + ms; ; await wait(50)) {
    const found = await answer();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
  }
}

/** The first painted picture; a canvas is black from its first size to its first picture. */
export const painted = (page, ms) =>
  until('a painted picture', async () => {
    const now = await picture(page);
    return now !== null && contrast(now) > 1 ? now : null;
  }, ms);

/** The picture of a still source when the server, asked at `session`, has nothing left to paint for it. */
export async function settled(page, session, ms) {
  let before = null;
  return until('a picture that stands still', async () => {
    const { painted, unchanged } = (await session()).stats;
    const now = { painted, unchanged, picture: await picture(page) };
    if (before === null || now.painted !== before.painted || !same(now.picture, before.picture)) before = now;
    // Frames came that were not worth painting, and the picture had the time to reach the page.
    return now.picture !== null && now.painted > 0 && now.unchanged >= before.unchanged + 5 ? now.picture : null;
  }, ms);
}

const same = (one, other) => one !== null && other !== null && difference(one, other) === 0;

/** A different picture than `from`, by at least `steps` of 255 in the mean. */
export function changed(page, from, steps, ms) {
  return until(`a picture that differs by ${steps}`, async () => {
    const now = await picture(page);
    return now !== null && difference(now, from) >= steps ? now : null;
  }, ms);
}

/** How the session stands: idle, connecting, live, away, full, ended. */
export const state = (page) => page.getByTestId('status').getAttribute('data-state');

/** Waits until the session stands so. */
export const stands = (page, wanted, ms) => until(`the page is ${wanted}`, async () => (await state(page)) === wanted, ms);

/** Where anyone can watch this page's session. */
export const streamUrl = (page) => page.getByTestId('stream-url').evaluate((node) => node.value ?? node.textContent.trim());
