/** A small picture of the newest painting, for a preset. */

const SIDE = 128;

/** As a data URL; nothing while no session runs, or where the server has no picture. */
export async function thumbnail(url: string, running: boolean): Promise<string | undefined> {
  if (!running) return undefined;
  try {
    const answer = await fetch(url, { cache: 'no-store' });
    if (!answer.ok) return undefined;
    const bitmap = await createImageBitmap(await answer.blob(), { resizeWidth: SIDE, resizeHeight: SIDE, resizeQuality: 'medium' });
    const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    bitmap.close();
    return canvas.toDataURL('image/jpeg', 0.7);
  } catch {
    return undefined;
  }
}
