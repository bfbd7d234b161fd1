// The page at the size of a telephone and of a desk: nothing overflows, and the pictures are kept to be looked at.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, open } from './chromium.mjs';
import { ROOT, Server } from './server.mjs';
import { painted, stands, until } from './stage.mjs';

const SCREENS = join(ROOT, '.fixtures/screens');
const SIZES = [{ width: 390, height: 844 }, { width: 1440, height: 900 }, { width: 3840, height: 2160 }];

let browser;
let server;
before(async () => {
  mkdirSync(SCREENS, { recursive: true });
  browser = await launch();
  server = await Server.start();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const size of SIZES) {
  test(`at ${size.width}x${size.height} nothing overflows, before and while it paints`, async () => {
    const { page, errors } = await open(browser, size);
    const look = async (name) => {
      await page.screenshot({ path: join(SCREENS, `${name}-${size.width}x${size.height}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `the page is ${wide} pixels too wide`);
    };
    await page.goto(server.url);
    await page.getByTestId('start-camera').waitFor();
    await until('the catalog', async () => (await page.getByTestId('pipeline').inputValue()) !== '');
    await look('start');
    await page.getByTestId('start-camera').click();
    await stands(page, 'live');
    await painted(page);
    await until('statistics', async () => parseFloat(await page.getByTestId('stat-latency').textContent()) > 0);
    await look('live');
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}
