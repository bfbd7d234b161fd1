/** Draws a picture cropped to the size that is asked for, and compresses it. */

import { cover } from './cover';
import type { Size } from './source';

/** High enough that the server's own compression decides what is seen. */
const QUALITY = 0.9;

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;
type Canvas = OffscreenCanvas | HTMLCanvasElement;

export class Encoder {
  #canvas: Canvas | null = null;
  #context: Context | null = null;

  /** `image`, whose own size is `from`, as JPEG of exactly `size`. */
  async encode(image: CanvasImageSource, from: Size, size: Size): Promise<Blob | null> {
    const context = this.#prepare(size);
    if (context === null) return null;
    const { x, y, width, height } = cover(from, size);
    context.drawImage(image, x, y, width, height, 0, 0, size.width, size.height);
    return compress(context.canvas);
  }

  #prepare(size: Size): Context | null {
    if (this.#canvas?.width !== size.width || this.#canvas.height !== size.height) {
      this.#canvas = blank(size);
      this.#context = this.#canvas.getContext('2d', { alpha: false }) as Context | null;
      // A camera's picture is usually made smaller; the default filter skips pixels and makes edges crawl.
      if (this.#context) this.#context.imageSmoothingQuality = 'medium';
    }
    return this.#context;
  }
}

function blank({ width, height }: Size): Canvas {
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement('canvas'), { width, height });
}

function compress(canvas: Canvas): Promise<Blob | null> {
  if ('convertToBlob' in canvas) return canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
}
