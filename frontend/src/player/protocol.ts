/** What the page and its player worker say to each other. */

/** From the page. */
export type Order =
  /** The canvas to draw on; where there is none, pictures come back as `picture`. */
  | { kind: 'canvas'; canvas: OffscreenCanvas }
  | { kind: 'play'; url: string; placards: boolean }
  | { kind: 'stop' };

/** Once a second. */
export interface Shown {
  /** Pictures drawn per second. */
  fps: number;
  /** Pictures overtaken on this side since playing began. */
  skipped: number;
}

/** From the worker. */
export type Told =
  | ({ kind: 'shown' } & Shown)
  /** The first picture of this size was drawn. */
  | { kind: 'size'; width: number; height: number }
  /** A picture for the page to draw itself. */
  | { kind: 'picture'; bitmap: ImageBitmap }
  /** The stream stopped and is being asked for again. */
  | { kind: 'broken'; message: string };
