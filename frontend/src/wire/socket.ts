/**
 * The session's WebSocket, kept open: it reconnects by itself under the same name, and takes a new name only where the
 * server says that somebody else holds this one.
 */

import { backoff } from './backoff';
import { parse, type ServerMessage } from './messages';

/** How the connection stands. */
export type Link =
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** Nobody answers, or there is no room; `at` is when the next attempt begins (`Date.now`). */
  | { kind: 'away' | 'full'; message: string; at: number; attempt: number; place?: number }
  /** The server closed the session for good. */
  | { kind: 'ended'; message: string };

/** What of a WebSocket is used, so that tests can bring their own. */
export type Wire = Pick<WebSocket, 'send' | 'close' | 'readyState' | 'binaryType' | 'onmessage' | 'onclose'>;

/** Who holds the other end. */
export interface Holder {
  /** Opens a socket for the session's present name. */
  open(): Wire;
  /** Whether the server answers at all: tells a refused socket from a server that is away. */
  alive(): Promise<boolean>;
  /** Takes a new name. */
  rename(): void;
  link(link: Link): void;
  message(message: ServerMessage): void;
}

/** Close codes by which a server says that this name is taken: policy violation, and 409 as others write it. */
const TAKEN = new Set([1008, 4409]);
/** A reload may come before the server noticed that the old socket closed; after a drop that takes longer still. */
const PATIENCE = { fresh: 2, dropped: 5 } as const;
/** A full server is asked again at a calm pace. */
const FULL_MS = 5000;
const OPEN = 1;

export class SessionSocket {
  #wire: Wire | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #wanted = false;
  #greeted = false;
  #attempt = 0;
  #refusals = 0;
  #patience: number = PATIENCE.fresh;
  #lastWords: Extract<ServerMessage, { status: 'error' | 'timeout' }> | null = null;

  constructor(private readonly holder: Holder) {}

  /** Connects, and stays connected until `stop`. */
  start(): void {
    this.stop();
    this.#wanted = true;
    this.#attempt = this.#refusals = 0;
    this.#patience = PATIENCE.fresh;
    this.#connect();
  }

  /** Tries at once instead of waiting for the next attempt. */
  retry(): void {
    if (this.#wanted && this.#timer !== null) this.#connect();
  }

  /** Closes, and stays closed. */
  stop(): void {
    this.#wanted = false;
    this.#drop();
    this.holder.link({ kind: 'idle' });
  }

  /** Sends the messages one after the other with nothing between; says whether there was anyone to send to. */
  send(...messages: (string | Blob | ArrayBuffer)[]): boolean {
    const wire = this.#wire;
    if (wire === null || !this.#greeted || wire.readyState !== OPEN) return false;
    for (const message of messages) wire.send(message);
    return true;
  }

  #connect(): void {
    this.#drop();
    this.#greeted = false;
    this.#lastWords = null;
    if (this.#attempt === 0) this.holder.link({ kind: 'connecting' });
    const wire = this.holder.open();
    this.#wire = wire;
    wire.binaryType = 'arraybuffer';
    wire.onmessage = (event) => this.#hear(parse(event.data));
    wire.onclose = (event) => void this.#closed(wire, event.code);
  }

  #hear(message: ServerMessage | null): void {
    if (message === null) return;
    if (message.status === 'connected') {
      this.#greeted = true;
      this.#attempt = this.#refusals = 0;
      this.#patience = PATIENCE.dropped;
      this.holder.link({ kind: 'live' });
    }
    if (message.status === 'error' || message.status === 'timeout') this.#lastWords = message;
    this.holder.message(message);
  }

  async #closed(wire: Wire, code: number): Promise<void> {
    if (wire !== this.#wire) return;
    this.#wire = null;
    const words = this.#lastWords;
    if (words !== null && !/\bfull\b/i.test(words.message)) {
      this.#wanted = false;
      this.holder.link({ kind: 'ended', message: words.message });
    } else if (words !== null) {
      this.#again('full', words.message, FULL_MS, 'place' in words ? words.place : undefined);
    } else if (this.#greeted) {
      this.#again('away', 'The connection to the server was lost.', backoff(this.#attempt));
    } else {
      await this.#refused(code);
    }
  }

  /** Closed before a greeting: nobody there, or the name is somebody else's. */
  async #refused(code: number): Promise<void> {
    this.#refusals += 1;
    const taken = this.#refusals >= this.#patience && (TAKEN.has(code) || (await this.holder.alive()));
    if (!this.#wanted || this.#wire !== null) return;
    if (taken) {
      this.#refusals = 0;
      this.#patience = PATIENCE.fresh;
      this.holder.rename();
    }
    this.#again('away', 'The server does not answer.', backoff(this.#attempt));
  }

  #again(kind: 'away' | 'full', message: string, wait: number, place?: number): void {
    this.#attempt += 1;
    this.holder.link({ kind, message, at: Date.now() + wait, attempt: this.#attempt, ...(place === undefined ? {} : { place }) });
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const wire = this.#wire;
    this.#wire = null;
    wire?.close();
  }
}
