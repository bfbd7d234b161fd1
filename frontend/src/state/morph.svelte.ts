/** The cross-fade from prompt A to prompt B, by hand or by the clock. */

import { between } from '../play/morph';
import type { Panel } from './panel.svelte';

/** More often nothing is sent anyway. */
const TICK_MS = 34;

export class Morph {
  /** How long a morph takes. */
  seconds = $state(4);
  running = $state(false);
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly panel: Panel) {}

  /** Whether the row can mix two prompts. */
  get possible(): boolean {
    return this.panel.controls.some(({ name }) => name === 'blend') && this.panel.controls.some(({ name }) => name === 'prompt_b');
  }

  get share(): number {
    const blend = this.panel.values.blend;
    return typeof blend === 'number' ? blend : 0;
  }

  /** By hand; whatever ran by itself stops. */
  set(share: number): void {
    this.stop();
    this.#put(share);
  }

  /** Travels to `to`; called again while it does, it stops where it is. */
  start(to: 0 | 1): void {
    if (this.running) return this.stop();
    const [from, began] = [this.share, performance.now()];
    this.running = true;
    this.#timer = setInterval(() => {
      const elapsed = (performance.now() - began) / 1000;
      this.#put(between(from, to, elapsed, this.seconds));
      if (elapsed >= this.seconds) this.stop();
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.running = false;
  }

  #put(share: number): void {
    this.panel.set('blend', Number(share.toFixed(4)));
  }
}
