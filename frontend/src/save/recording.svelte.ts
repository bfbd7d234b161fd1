/** A recording of the canvas, made by this browser. */

import { fileName, hand } from './save';

/** What players like best first. */
const FORMS = ['video/mp4;codecs=avc1.42E01F', 'video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];
const BITS_PER_SECOND = 8_000_000;
/** So often a piece is handed over by the recorder; the browser keeps large ones on disk. */
const PIECE_MS = 1000;

/** Whether this browser can record a canvas. */
export function canRecord(): boolean {
  return typeof MediaRecorder !== 'undefined' && 'captureStream' in HTMLCanvasElement.prototype;
}

export class Recording {
  /** Whether it runs. */
  running = $state(false);
  seconds = $state(0);

  #recorder: MediaRecorder | null = null;
  #clock: ReturnType<typeof setInterval> | undefined;

  start(canvas: HTMLCanvasElement): void {
    const mimeType = FORMS.find((form) => MediaRecorder.isTypeSupported(form)) ?? '';
    const recorder = new MediaRecorder(canvas.captureStream(), { mimeType, videoBitsPerSecond: BITS_PER_SECOND });
    const pieces: Blob[] = [];
    const began = new Date();
    recorder.ondataavailable = (event) => void pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(this.#clock);
      this.running = false;
      this.#recorder = null;
      for (const track of recorder.stream.getTracks()) track.stop();
      const type = recorder.mimeType || mimeType;
      if (pieces.some((piece) => piece.size > 0)) hand(new Blob(pieces, { type }), fileName(began, type.includes('mp4') ? 'mp4' : 'webm'));
    };
    recorder.start(PIECE_MS);
    this.#recorder = recorder;
    this.seconds = 0;
    this.#clock = setInterval(() => (this.seconds = Math.round((Date.now() - began.getTime()) / 1000)), 250);
    this.running = true;
  }

  /** Ends it; the file is handed over. */
  stop(): void {
    this.#recorder?.stop();
  }
}
