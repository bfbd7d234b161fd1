/** Saving what is on the screen: one picture, or all from now on. */

import { intoJpeg, intoPng } from './embed';
import { xmp, type Making } from './xmp';

/** `limn-2026-11-26T10-30-00.png`. */
export function fileName(when: Date, extension: string): string {
  return `limn-${when.toISOString().slice(0, 19).replaceAll(':', '-')}.${extension}`;
}

/** The newest picture at `url`, as a file that says how it was painted; throws where there is none. */
export async function picture(url: string, form: 'jpeg' | 'png', making: Making): Promise<Blob> {
  const answer = await fetch(url, { cache: 'no-store' });
  if (!answer.ok) throw new Error(`the server has no picture (${answer.status})`);
  const jpeg = await answer.blob();
  const packet = xmp(making);
  if (form === 'jpeg') return new Blob([intoJpeg(await bytes(jpeg), packet)], { type: 'image/jpeg' });
  return new Blob([intoPng(await bytes(await toPng(jpeg)), packet)], { type: 'image/png' });
}

async function bytes(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}

async function toPng(jpeg: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(jpeg);
  const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('this browser made no PNG'))), 'image/png');
  });
}

/** Hands a file to the person. */
export function hand(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
