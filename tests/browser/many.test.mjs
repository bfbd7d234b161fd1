// A wall of streams in one page: HTTP/1.1 has six connections to a host, HTTP/2 under TLS carries any number in one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { certificate } from './certificate.mjs';
import { launch, open } from './chromium.mjs';
import { jpegs, shown } from './colours.mjs';
import { Server } from './server.mjs';
import { until } from './stage.mjs';

const STREAMS = 12;
const PATIENCE_MS = 1000;

// Of this process alone, whose only peer is the server with the certificate made here.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

test('twelve <img> at once over HTTP/2 all move', async (t) => {
  const { cert, key } = certificate(t);
  const server = await Server.during(t, ['--pipeline', 'passthrough', '--ssl-certfile', cert, '--ssl-keyfile', key]);
  const browser = await launch();
  t.after(() => browser.close());
  const { page } = await open(browser, { ignoreHTTPSErrors: true });
  const spoken = new Set();
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  wire.on('Network.responseReceived', ({ response }) => {
    if (response.url.includes('stream.mjpeg')) spoken.add(response.protocol);
  });
  const camera = await server.session();
  t.after(() => camera.stop());
  await page.goto(`${server.url}/health`);
  const pictures = await jpegs(page);
  camera.show(pictures[0]);
  const images = Array.from({ length: STREAMS }, (_, number) => `<img src="${camera.stream}?n=${number}" width="64">`);
  await page.setContent(images.join(''));
  const all = (number) => async () => {
    const colours = await shown(page);
    return colours.length === STREAMS && colours.every((one) => one === number);
  };
  await until(`${STREAMS} first pictures`, all(0));
  assert.deepEqual([...spoken], ['h2']);
  const took = [];
  for (const number of [1, 2, 3]) {
    const sent = camera.show(pictures[number]);
    await until(`picture ${number} in all of them`, all(number), PATIENCE_MS);
    took.push(Math.round(performance.now() - sent));
    await wait(500);
  }
  t.diagnostic(`all ${STREAMS} had each picture after ${took.join(', ')} ms`);
});
