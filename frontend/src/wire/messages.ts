/** The text messages of a session's WebSocket, as the server sends them. */

import type { Values } from '../schema/schema';

/** A source that the server sends by NDI. */
export interface NdiSource {
  name: string;
  state: 'sending' | 'unavailable';
  /** Why it is unavailable. */
  why?: string;
  receivers?: number;
  /** Whether a receiver has it on air, or is about to. */
  tally?: { program: boolean; preview: boolean };
}

/** Once a second, how the session fares. */
export interface Stats {
  /** Pictures arriving, per second. */
  fps_in?: number;
  /** Pictures painted, per second. */
  fps_painted?: number;
  /** From arrival to painted, milliseconds. */
  latency_ms?: number;
  /** Pictures overtaken by newer ones since the session began. */
  skipped?: number;
  /** Readers of the stream at this moment. */
  viewers?: number;
  /** Milliseconds by stage of the road. */
  stages?: Record<string, number>;
  pipeline?: string;
  row?: string;
  device?: string;
  checkpoint?: string | null;
  /** The program, and this session, as NDI sources; null where they are none. */
  ndi?: { program: NdiSource | null; session: NdiSource | null };
}

/** A refused parameter or picture; the session goes on. */
export interface Refusal {
  code: string;
  message: string;
  hint?: string | null;
}

/** What a pipeline has to say beside its picture. */
export interface Report {
  kind: string;
  message?: string;
  [key: string]: unknown;
}

/** Everything the server may say; statuses that this page does not know are left out by `parse`. */
export type ServerMessage =
  | { status: 'connected' }
  | { status: 'wait' }
  | { status: 'send_frame' }
  | ({ status: 'stats' } & Stats)
  | ({ status: 'refused' } & Refusal)
  | { status: 'loading'; row: string }
  | { status: 'ready'; row: string; params?: Values }
  | { status: 'report'; report: Report }
  | { status: 'program'; on_air: boolean }
  /** `place` in the line, counted from 1, where the server is full. */
  | { status: 'error'; message: string; place?: number }
  /** The server stops in so many seconds. */
  | { status: 'draining'; seconds: number }
  | { status: 'timeout'; message: string };

const KNOWN = new Set(['connected', 'wait', 'send_frame', 'stats', 'refused', 'loading', 'ready', 'report', 'program', 'error', 'timeout', 'draining']);

/** A message from the wire, or nothing where it is not one that this page knows. */
export function parse(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null;
  try {
    const message: unknown = JSON.parse(data);
    if (typeof message !== 'object' || message === null || !('status' in message)) return null;
    return KNOWN.has(String(message.status)) ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}

/** The parameter that a refusal speaks of: the first name in backticks that the row has. */
export function refusedField(message: string, known: readonly string[]): string | undefined {
  const named = [...message.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
  return named.find((name) => known.includes(name));
}
