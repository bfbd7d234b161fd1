// A server that asks for keys: signing in, by a key and by the address that it prints; sharing what one paints.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { launch, open } from './chromium.mjs';
import { ROOT, Server } from './server.mjs';
import { painted, stands } from './stage.mjs';

const BINARY = process.env.LIMN_SERVER ?? join(ROOT, 'target/release/server');

let browser;
let folder;
let keys;
let server;
before(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), 'limn-keys-'));
  keys = join(folder, 'keys');
  server = await Server.start(['--auth', keys, '--pipeline', 'passthrough']);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

const looks = { width: 1440, height: 900 };

test('the address that the server prints signs an operator in, and leaves the address line', async () => {
  const address = /http:\S+#sign=\S+/.exec(server.log)?.[0];
  assert.ok(address, server.log);
  const { page, errors } = await open(browser, looks);
  await page.goto(address);
  await page.getByTestId('start-pattern').waitFor();
  assert.equal(new URL(page.url()).hash, '');
  await page.goto(`${server.url}/desk`);
  await page.getByTestId('follow').waitFor();
  assert.deepEqual(errors, []);
});

test('a key signs in, a wrong one says so, and a player is no operator', async (t) => {
  const own = await Server.during(t, ['--auth', keys, '--pipeline', 'passthrough']);
  const key = execFileSync(BINARY, ['key', 'new', '--right', 'player', '--auth', keys], { encoding: 'utf8' }).trim();
  await own.stop();
  const again = await Server.during(t, ['--auth', keys, '--pipeline', 'passthrough']);
  assert.doesNotMatch(again.log, /#sign=/);
  const { page } = await open(browser, looks);
  await page.goto(again.url);
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  await page.getByTestId('key').fill('guess');
  await page.getByTestId('sign-in-go').click();
  await page.getByTestId('sign-in-fault').waitFor();
  await page.getByTestId('key').fill(key);
  await page.getByTestId('sign-in-go').click();
  await page.getByTestId('start-pattern').click();
  await stands(page, 'live');
  await painted(page);

  // Who is handed the address may watch, and no more.
  await page.getByRole('button', { name: 'Share' }).click();
  await page.getByText('without a key, for twelve hours').waitFor();
  const signed = await page.getByTestId('url-watch').inputValue();
  assert.match(signed, /sign=viewer\./);
  const guest = await open(browser, looks);
  await guest.page.goto(signed);
  await guest.page.locator('canvas[data-size]').waitFor();
  assert.deepEqual(guest.errors, []);
  await guest.page.goto(again.url);
  await guest.page.getByTestId('sign-in').waitFor();

  await page.goto(`${again.url}/desk`);
  await page.getByText('You are signed in as player').waitFor();
});
