// A stream in a bare <img>, as people embed it: Chromium shows a part only when the headers of the next one have come.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { delays } from './delay.mjs';
import { Server } from './server.mjs';

/** A picture that waits for the next one is late by 700 ms, or for ever; a prompt one by what a busy machine takes. */
const PROMPT_MS = 350;

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

const told = (times) => times.map(({ decoded, painted }) => `${decoded.toFixed(1)} (painted ${painted.toFixed(1)})`).join(', ');

test('an <img> shows each picture at once, and the last of a burst', async (t) => {
  const { each, last } = await delays(browser, server);
  t.diagnostic(`shown after ${told(each)} ms; the last of a burst after ${told(last)} ms`);
  for (const { painted } of [...each, ...last]) assert.ok(painted < PROMPT_MS, `a picture was shown after ${painted} ms`);
});

test('on the wire of players it shows them late, which is why there are two', async (t) => {
  const { each } = await delays(browser, server, { query: '?wire=length' });
  t.diagnostic(`shown after ${told(each)} ms`);
  assert.ok(Math.max(...each.map(({ decoded }) => decoded)) > PROMPT_MS, 'this wire would do for all');
});
