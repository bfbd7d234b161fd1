/** The page's end of the player: owns the worker and the canvas. */

import type { Order, Shown, Told } from './protocol';

/** Who listens to the player. */
export interface Listener {
  shown(shown: Shown): void;
  size(width: number, height: number): void;
  broken(message: string): void;
}

/** Whether this browser can play by `fetch` in a worker; where not, an `<img>` shows the stream. */
export function canPlay(): boolean {
  return typeof Worker !== 'undefined' && typeof createImageBitmap !== 'undefined' && typeof ReadableStream !== 'undefined';
}

export class Player {
  readonly #worker = new Worker(new URL('./player.worker.ts', import.meta.url), { type: 'module' });

  constructor(canvas: HTMLCanvasElement, listener: Listener) {
    const context = hand(canvas, this.#worker) ? null : canvas.getContext('2d', { alpha: false });
    this.#worker.onmessage = (event: MessageEvent<Told>) => {
      const told = event.data;
      if (told.kind === 'shown') listener.shown(told);
      else if (told.kind === 'broken') listener.broken(told.message);
      else if (told.kind === 'size') {
        if (context !== null) Object.assign(canvas, { width: told.width, height: told.height });
        listener.size(told.width, told.height);
      } else {
        context?.drawImage(told.bitmap, 0, 0);
        told.bitmap.close();
      }
    };
  }

  /** Plays the stream at `url`; its placards as well, where the page has no words of its own for them. */
  play(url: string, placards = false): void {
    this.#order({ kind: 'play', url, placards });
  }

  stop(): void {
    this.#order({ kind: 'stop' });
  }

  /** Ends the worker; the canvas cannot be played on again. */
  close(): void {
    this.#worker.terminate();
  }

  #order(order: Order): void {
    this.#worker.postMessage(order);
  }
}

/** Gives the canvas to the worker where the browser lets a worker draw. */
function hand(canvas: HTMLCanvasElement, worker: Worker): boolean {
  if (!('transferControlToOffscreen' in canvas)) return false;
  const offscreen = canvas.transferControlToOffscreen();
  worker.postMessage({ kind: 'canvas', canvas: offscreen } satisfies Order, [offscreen]);
  return true;
}
