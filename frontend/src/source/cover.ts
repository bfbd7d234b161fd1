/** Fitting a picture into a size of another shape by cutting, never by stretching. */

import type { Size } from './source';

/** A rectangle of the original, in its pixels. */
export interface Rect extends Size {
  x: number;
  y: number;
}

/** The largest rectangle in the middle of `picture` that has the shape of `target`. */
export function cover(picture: Size, target: Size): Rect {
  const scale = Math.max(target.width / picture.width, target.height / picture.height);
  const width = Math.min(picture.width, target.width / scale);
  const height = Math.min(picture.height, target.height / scale);
  return { x: (picture.width - width) / 2, y: (picture.height - height) / 2, width, height };
}
