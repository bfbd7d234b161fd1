/** Copies `text`, which also stands in `box`; says whether it did. */
export async function copy(text: string, box: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without encryption have no clipboard; the old command still works there on a selection.
    box.select();
    return document.execCommand('copy');
  }
}
