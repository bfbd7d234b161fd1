/** A still picture, sent again and again as if a camera stood before it. */

import { encode } from './encoder';
import type { Preview, Size, Source } from './source';

export class PictureSource implements Source {
  readonly kind = 'picture';
  readonly preview: Preview & { url: string };
  onended: (() => void) | null = null;

  #jpeg: { size: Size; blob: Blob } | null = null;

  private constructor(
    readonly label: string,
    private readonly bitmap: ImageBitmap,
    file: Blob,
  ) {
    this.preview = { url: URL.createObjectURL(file), moves: false };
  }

  /** Reads a picture file; throws where the browser cannot read it. */
  static async open(file: File): Promise<PictureSource> {
    try {
      return new PictureSource(file.name, await createImageBitmap(file), file);
    } catch {
      throw new DOMException(file.name, 'PictureError');
    }
  }

  /** The same bytes for the same size: the server paints a frame that nothing changed only once. */
  async jpeg(size: Size): Promise<Blob | null> {
    const made = this.#jpeg;
    if (made?.size.width === size.width && made.size.height === size.height) return made.blob;
    const blob = await encode(this.bitmap, size);
    if (blob !== null) this.#jpeg = { size, blob };
    return blob;
  }

  stop(): void {
    URL.revokeObjectURL(this.preview.url);
    this.bitmap.close();
  }
}
