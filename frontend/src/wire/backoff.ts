/** How long to wait before the next attempt: 0.5, 1, 2, 5 seconds, then 5 for ever. */

const STEPS_MS = [500, 1000, 2000, 5000] as const;

/** Milliseconds before attempt number `attempt`, counted from 0. */
export function backoff(attempt: number): number {
  return STEPS_MS[Math.min(attempt, STEPS_MS.length - 1)] ?? 5000;
}
