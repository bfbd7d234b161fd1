/**
 * Changes on their way to the server: at most thirty messages a second, and of each parameter only the newest value.
 *
 * A slider moves more often than a frame is painted; what it passed through is of no use to anyone.
 */

import type { Values } from '../schema/schema';

/** Timers count whole milliseconds and cut the rest off, so 33 would be more than thirty a second. */
const INTERVAL_MS = 34;

export class Outbox {
  #patch: Values = {};
  #timer: ReturnType<typeof setTimeout> | null = null;
  #last = -Infinity;

  /** `send` carries a patch over; `now` is a clock in milliseconds. */
  constructor(
    private readonly send: (patch: Values) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Sends `value` at once, or as soon as the interval is over. */
  put(name: string, value: Values[string]): void {
    this.#patch[name] = value;
    if (this.#timer !== null) return;
    const wait = this.#last + INTERVAL_MS - this.now();
    if (wait <= 0) this.#flush();
    else this.#timer = setTimeout(() => this.#flush(), wait);
  }

  /** Forgets what has not gone out, because nobody is there to take it. */
  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#patch = {};
  }

  #flush(): void {
    const patch = this.#patch;
    this.clear();
    this.#last = this.now();
    this.send(patch);
  }
}
