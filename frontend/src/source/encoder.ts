/** Makes a JPEG of exactly the size that is asked for out of a picture or a video's present frame. */

import { draw, QUALITY } from './draw';
import type { Size } from './source';

/** To the worker. */
export interface Compress {
  id: number;
  bitmap: ImageBitmap;
  size: Size;
}

/** From the worker; no blob where the picture could not be compressed. */
export interface Compressed {
  id: number;
  blob: Blob | null;
}

/** One worker serves the page; it sleeps while nobody asks. */
let worker: Worker | null = null;
let next = 0;
const waiting = new Map<number, (blob: Blob | null) => void>();

/** `image` cropped to `size`, never stretched. */
export async function encode(image: HTMLVideoElement | ImageBitmap, size: Size): Promise<Blob | null> {
  const bitmap = await createImageBitmap(image);
  return typeof OffscreenCanvas === 'undefined' ? here(bitmap, size) : there(bitmap, size);
}

function there(bitmap: ImageBitmap, size: Size): Promise<Blob | null> {
  const compressor = (worker ??= start());
  const id = next++;
  return new Promise((done) => {
    waiting.set(id, done);
    compressor.postMessage({ id, bitmap, size } satisfies Compress, [bitmap]);
  });
}

/** On the page, for browsers whose workers cannot draw. */
function here(bitmap: ImageBitmap, size: Size): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  draw(canvas, bitmap, size);
  bitmap.close();
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
}

function start(): Worker {
  const compressor = new Worker(new URL('./encoder.worker.ts', import.meta.url), { type: 'module' });
  compressor.onmessage = (event: MessageEvent<Compressed>) => {
    waiting.get(event.data.id)?.(event.data.blob);
    waiting.delete(event.data.id);
  };
  return compressor;
}
