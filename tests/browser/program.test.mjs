// The switch "on air": nobody is published unasked, and whoever agrees is seen at the program's address.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open } from './chromium.mjs';
import { Server } from './server.mjs';
import { painted, stands } from './stage.mjs';

let browser;
let server;
before(async () => {
  browser = await launch();
  server = await Server.start(['--pipeline', 'passthrough', '--follow', 'consented']);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const onAir = async () => (await (await fetch(`${server.url}/api/program`)).json()).session;

test('the switch puts the session on air and takes it off again', async () => {
  const { page, errors } = await open(browser);
  await page.goto(server.url);
  await page.getByTestId('start-camera').click();
  await stands(page, 'live');
  await painted(page);
  const button = page.getByTestId('on-air');
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  assert.equal(await onAir(), null);
  await button.click();
  await page.locator('[data-testid="on-air"][data-on="true"]').waitFor();
  assert.equal(await button.innerText(), 'On air now');
  assert.notEqual(await onAir(), null);
  const snapshot = await fetch(`${server.url}/snapshot.jpg`);
  assert.equal(snapshot.status, 200);
  assert.equal(snapshot.headers.get('content-type'), 'image/jpeg');
  await button.click();
  await page.locator('[data-testid="on-air"][data-on="false"]').waitFor();
  assert.equal(await onAir(), null);
  assert.deepEqual(errors, []);
});
