/** What an operator sees and does: all sessions, what is on air, cuts and fades. */

import type { NdiSource } from '../wire/messages';

/** One session, as `GET /api/state` tells of it. */
export interface Seat {
  id: string;
  label: string | null;
  row: string;
  source: string | null;
  viewers: unknown[];
  stats: { fps_painted?: number };
}

/** What is on air, as `GET /api/program` tells it. */
export interface OnAir {
  session: string | null;
  pinned: string | null;
  follow: 'newest' | 'consented';
  viewers: number;
  ndi: NdiSource | null;
}

const LOOK_MS = 1000;

export class Desk {
  seats = $state.raw<Seat[]>([]);
  program = $state.raw<OnAir | null>(null);
  /** Why nothing is seen, or was not done. */
  fault = $state<string | null>(null);
  /** How long a fade takes. */
  seconds = $state(1);

  /** Looks again and again; the answer ends that. */
  watch(): () => void {
    let over = false;
    const look = async () => {
      while (!over) {
        await this.look();
        await new Promise((done) => setTimeout(done, LOOK_MS));
      }
    };
    void look();
    return () => (over = true);
  }

  async look(): Promise<void> {
    const [state, program] = await Promise.all([this.#ask<{ sessions: Seat[] }>('/api/state'), this.#ask<OnAir>('/api/program')]);
    if (state === null || program === null) return;
    this.seats = state.sessions;
    this.program = program;
    this.fault = null;
  }

  /** Puts a session on air, at once or in `seconds`; null lets the server choose. */
  async take(session: string | null, seconds = 0): Promise<void> {
    const body = JSON.stringify({ session, fade_ms: Math.round(seconds * 1000) });
    const program = await this.#ask<OnAir>('/api/program', { method: 'PUT', body, headers: { 'content-type': 'application/json' } });
    if (program !== null) this.program = program;
  }

  async end(session: string): Promise<void> {
    await this.#ask(`/api/state/${session}`, { method: 'DELETE' });
    await this.look();
  }

  /** The answer, or null and a fault in words. */
  async #ask<T>(path: string, init: RequestInit = {}): Promise<T | null> {
    try {
      const answer = await fetch(path, { cache: 'no-store', ...init });
      const json = answer.status === 204 ? {} : await answer.json();
      if (answer.ok) return json as T;
      const { message, hint } = (json as { error: { message: string; hint?: string } }).error;
      this.fault = [message, hint].filter(Boolean).join(': ');
    } catch {
      this.fault = 'The server is away; trying again by itself.';
    }
    return null;
  }
}
