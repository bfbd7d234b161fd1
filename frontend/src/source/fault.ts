/** Why a source did not open, in words that say what to do next. */

/** What went wrong, and what helps. */
export interface Fault {
  title: string;
  hint: string;
}

/** The words for an error from `openCamera`, `openScreen` or `PictureSource.open`; nothing where the user said no. */
export function faultOf(error: unknown, kind: 'camera' | 'screen' | 'file', host: string): Fault | null {
  const name = error instanceof Error ? error.name : '';
  const detail = error instanceof Error ? error.message : String(error);
  if (name === 'InsecureError') return insecure(host);
  if (kind === 'file') {
    return { title: `This browser cannot read “${detail}” as a picture or a clip.`, hint: 'JPEG, PNG, WebP and MP4 work everywhere.' };
  }
  if (kind === 'screen') {
    // Closing the browser's own dialogue is an answer and not a fault.
    if (name === 'NotAllowedError' || name === 'AbortError') return null;
    return { title: 'The screen could not be shared.', hint: detail };
  }
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        title: 'The camera was refused.',
        hint: 'Allow it in the address bar (the camera or lock symbol), then try again. A picture, a clip, the screen or the test pattern works without it.',
      };
    case 'NotFoundError':
      return { title: 'No camera was found.', hint: 'Connect one and try again, or start with a picture, the screen or the test pattern.' };
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: 'The camera is in use.',
        hint: 'Another program holds it. Close that program and try again, or choose another camera.',
      };
    case 'OverconstrainedError':
      return { title: 'That camera is gone.', hint: 'Choose another one, or connect it again.' };
    default:
      return { title: 'The camera did not start.', hint: detail };
  }
}

/** Why there is neither camera nor screen on this address. */
export function insecure(host: string): Fault {
  return {
    title: 'This browser gives no camera or screen to a page without encryption.',
    hint:
      `“${host}” is plain http. Open the page as http://localhost on the machine itself, or start the server with ` +
      '--ssl-certfile and --ssl-keyfile and use https. A picture works as it is.',
  };
}
