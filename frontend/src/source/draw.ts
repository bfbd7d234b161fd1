/** Drawing a picture into the size that is asked for. */

import { cover } from './cover';
import type { Size } from './source';

/** High enough that the server's own compression decides what is seen. */
export const QUALITY = 0.9;

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** Makes `canvas` as large as `size` and fills it with the middle of `image`. */
export function draw(canvas: OffscreenCanvas | HTMLCanvasElement, image: ImageBitmap, size: Size): void {
  if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
  // The pixels are read back each time, so they may as well stay where the processor can reach them.
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true }) as Context | null;
  if (context === null) throw new Error('no canvas to draw on');
  const { x, y, width, height } = cover(image, size);
  // A camera's picture is usually made smaller; the default filter skips pixels and makes edges crawl.
  context.imageSmoothingQuality = 'medium';
  context.drawImage(image, x, y, width, height, 0, 0, size.width, size.height);
}
