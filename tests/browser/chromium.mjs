// Debian's Chromium with a camera that plays our clip, or one that it refuses to open.

import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { executable } from './executable.mjs';
import { ROOT } from './server.mjs';

/** The camera's clip, made by tests/clients/clip.py. */
export const CLIP = join(ROOT, '.fixtures/clip.mjpeg');

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CAMERA = [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${CLIP}`,
];
/** The camera is there, and whoever is asked for it says no. */
const REFUSED = ['--use-fake-device-for-media-stream', '--deny-permission-prompts'];

/** A browser with a fresh profile; `camera` is `clip` or `refused`. */
export function launch(camera = 'clip') {
  return chromium.launch({
    executablePath: executable(NAMES),
    headless: true,
    args: [...FLAGS, ...(camera === 'clip' ? CAMERA : REFUSED)],
  });
}

/** A page, and every error that its console shows or that nobody caught. */
export async function open(browser, { width = 1280, height = 800, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return { page, errors };
}
