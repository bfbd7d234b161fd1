/** Plays a stream: reads, decodes the newest picture, draws it; whatever was overtaken meanwhile is only counted. */

import { backoff } from '../wire/backoff';
import { MultipartReader } from './multipart';
import type { Order, Told } from './protocol';

type Play = Extract<Order, { kind: 'play' }>;

let context: OffscreenCanvasRenderingContext2D | null = null;
let reading: AbortController | null = null;
let newest: Uint8Array<ArrayBuffer> | null = null;
let drawing = false;
let width = 0;
let height = 0;
let drawn = 0;
let skipped = 0;

const tell = (told: Told, transfer: Transferable[] = []) => self.postMessage(told, { transfer });

self.onmessage = (event: MessageEvent<Order>) => {
  const order = event.data;
  if (order.kind === 'canvas') {
    context = order.canvas.getContext('2d', { alpha: false });
    return;
  }
  reading?.abort();
  reading = null;
  newest = null;
  if (order.kind === 'play') {
    width = height = drawn = skipped = 0;
    reading = new AbortController();
    void play(order, reading.signal);
  }
};

setInterval(() => {
  if (reading === null) return;
  tell({ kind: 'shown', fps: drawn, skipped });
  drawn = 0;
}, 1000);

async function play(order: Play, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await read(order, signal, () => (attempt = 0));
      throw new Error('the stream ended');
    } catch (error) {
      if (signal.aborted) return;
      tell({ kind: 'broken', message: error instanceof Error ? error.message : String(error) });
      await new Promise((done) => setTimeout(done, backoff(attempt)));
    }
  }
}

async function read({ url, placards }: Play, signal: AbortSignal, onpart: () => void): Promise<void> {
  const response = await fetch(url, { signal, cache: 'no-store' });
  if (!response.ok || response.body === null) throw new Error(`the stream answered ${response.status}`);
  const parts = new MultipartReader(placards);
  const body = response.body.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    for (const part of parts.push(value)) {
      onpart();
      if (newest !== null) skipped += 1;
      newest = part;
    }
    if (newest !== null && !drawing) void draw();
  }
}

async function draw(): Promise<void> {
  drawing = true;
  while (newest !== null) {
    const part = newest;
    newest = null;
    try {
      paint(await createImageBitmap(new Blob([part], { type: 'image/jpeg' })));
    } catch {
      // One damaged picture is one picture less; the next is on its way.
      skipped += 1;
    }
  }
  drawing = false;
}

function paint(bitmap: ImageBitmap): void {
  drawn += 1;
  const resized = bitmap.width !== width || bitmap.height !== height;
  if (resized) {
    ({ width, height } = bitmap);
    tell({ kind: 'size', width, height });
  }
  if (context === null) {
    tell({ kind: 'picture', bitmap }, [bitmap]);
    return;
  }
  if (resized) Object.assign(context.canvas, { width, height });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
}
