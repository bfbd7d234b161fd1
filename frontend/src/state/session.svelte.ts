/** One session with the server: the socket, what it answers, and what the server tells of it. */

import type { Shown } from '../player/protocol';
import { wake } from '../source/wake';
import { recall, renew } from '../wire/identity';
import { refusedField, type Refusal, type Report, type ServerMessage, type Stats } from '../wire/messages';
import { Outbox } from '../wire/outbox';
import { SessionSocket, type Link } from '../wire/socket';
import type { Capture } from './capture.svelte';
import { tabStore } from './kept';
import type { Notices } from './notices.svelte';
import type { Panel } from './panel.svelte';

/** How long to wait before saying again that there is no picture. */
const NOTHING_YET_MS = 200;

export class Session {
  id = $state(recall(tabStore()));
  link = $state.raw<Link>({ kind: 'idle' });
  stats = $state.raw<Stats>({});
  /** What this page draws of the stream; nothing where the browser draws it by itself. */
  shown = $state.raw<Shown | null>(null);

  /** Whether its user agrees to be on air. */
  agrees = $state(false);
  /** Whether it is. */
  onAir = $state(false);

  readonly #socket: SessionSocket;
  readonly #outbox = new Outbox((params) => void this.#say({ status: 'params', params }));
  #answering = false;

  constructor(
    private readonly panel: Panel,
    private readonly capture: Capture,
    private readonly notices: Notices,
  ) {
    this.#socket = new SessionSocket({
      open: () => new WebSocket(this.#url()),
      alive: () => fetch('/health', { cache: 'no-store' }).then((answer) => answer.ok, () => false),
      rename: () => (this.id = renew(tabStore())),
      link: (link) => this.#linked(link),
      message: (message) => this.#hear(message),
    });
    panel.onchange = (name, value) => {
      if (this.link.kind === 'live') this.#outbox.put(name, value);
    };
  }

  /** Whether a session is running or being fought for. */
  get running(): boolean {
    return this.link.kind !== 'idle' && this.link.kind !== 'ended';
  }

  start(): void {
    this.#socket.start();
  }

  retry(): void {
    this.#socket.retry();
  }

  /** Ends the session; the server frees its place as the socket closes. Takes a new name for the next. */
  stop(): void {
    this.#socket.stop();
    this.agrees = false;
    this.id = renew(tabStore());
  }

  /** Asks for another row while the old one goes on painting. */
  change(row: string): void {
    if (this.#say({ status: 'pipeline', row })) this.panel.pending = row;
    else this.panel.choose(row);
  }

  /** The switch "on air". */
  agree(agrees: boolean): void {
    this.agrees = agrees;
    this.#say({ status: 'on_air', on_air: agrees });
  }

  #url(): string {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const row = this.panel.choice ? `?row=${encodeURIComponent(this.panel.choice.row.id)}` : '';
    return `${scheme}://${location.host}/api/ws/${this.id}${row}`;
  }

  #say(message: object): boolean {
    return this.#socket.send(JSON.stringify(message));
  }

  #linked(link: Link): void {
    this.link = link;
    if (link.kind === 'live') {
      // Another server, or the same one started again, knows nothing of it.
      if (this.agrees) this.agree(true);
      return;
    }
    this.#outbox.clear();
    this.onAir = false;
    this.stats = {};
    this.shown = null;
    this.panel.pending = null;
    if (link.kind === 'ended') {
      // The camera's light must not stay on for a session that is over.
      this.capture.stop();
      this.agrees = false;
      this.id = renew(tabStore());
    }
  }

  #hear(message: ServerMessage): void {
    switch (message.status) {
      case 'send_frame':
        return void this.#answer();
      case 'stats':
        this.stats = message;
        return;
      case 'refused':
        return this.#refused(message);
      case 'loading':
        this.panel.pending = message.row;
        return;
      case 'ready':
        return this.panel.adopt(message.row, message.params);
      case 'program':
        this.onAir = message.on_air;
        return;
      case 'draining':
        return this.notices.say({ key: 'draining', tone: 'warn', text: `The server stops in ${Math.round(message.seconds)} s.`, hint: 'Your settings are kept.' });
      case 'report':
        return this.#report(message.report);
    }
  }

  /** Sends the newest picture, captured first so that its three messages leave with nothing between them. */
  async #answer(): Promise<void> {
    if (this.#answering) return;
    this.#answering = true;
    try {
      const picture = await this.#picture();
      const params = JSON.stringify(this.panel.full());
      const next = JSON.stringify({ status: 'next_frame', picture: picture !== null });
      this.#socket.send(next, params, ...(picture === null ? [] : [picture]));
    } finally {
      this.#answering = false;
    }
  }

  /** The picture for the next frame; empty where a source has nothing yet, null where the row wants none. */
  async #picture(): Promise<Blob | null> {
    const input = this.panel.choice?.row.input ?? 'image';
    const source = this.capture.source;
    if (input === 'text' || (input === 'either' && source?.kind === 'none')) return null;
    const picture = await source?.jpeg(this.panel.size()).catch(() => null);
    if (picture) return picture;
    await wake(NOTHING_YET_MS);
    return new Blob([]);
  }

  #refused(refusal: Refusal): void {
    const field = refusedField(refusal.message, Object.keys(this.panel.values));
    if (field === undefined) this.panel.pending = null;
    else this.panel.refused = { ...this.panel.refused, [field]: refusal.message };
    const key = `refused ${refusal.code} ${field ?? refusal.message}`;
    this.notices.say({ key, tone: 'warn', text: refusal.message, hint: refusal.hint ?? '' });
  }

  #report(report: Report): void {
    const text = typeof report.message === 'string' ? report.message : `The pipeline reports: ${report.kind}`;
    this.notices.say({ key: `report ${report.kind}`, tone: 'info', text, hint: '' });
  }
}
