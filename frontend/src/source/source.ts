/** Where a session's pictures come from, in this browser. */

/** A picture's size in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** The kinds of source; `none` is for pipelines that paint from text alone. */
export type SourceKind = 'camera' | 'screen' | 'picture' | 'clip' | 'pattern' | 'none';

/** What to show of it: a live stream, or a file's URL. */
export type Preview = MediaStream | { url: string; moves: boolean };

/** An open source. */
export interface Source {
  readonly kind: SourceKind;
  /** What it calls itself: the camera's name, the file's. */
  readonly label: string;
  /** The camera's device id, where it is one. */
  readonly deviceId?: string;
  readonly preview: Preview | null;
  /** The newest picture cropped to `size` as JPEG, or nothing where there is none yet. */
  jpeg(size: Size): Promise<Blob | null>;
  /** Called when the source ends by itself: unplugged, or sharing was stopped. */
  onended: (() => void) | null;
  /** Lets go of the device. */
  stop(): void;
}

/** A pipeline that paints from text has nothing to capture. */
export function noSource(): Source {
  return { kind: 'none', label: 'Text only', preview: null, jpeg: async () => null, onended: null, stop: () => {} };
}
