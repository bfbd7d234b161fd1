/** A value that travels by itself from where it is to where it is wanted, in a given time. */

/** Where it is after `elapsed` of `seconds`, from `from` to `to`: slow at both ends. */
export function between(from: number, to: number, elapsed: number, seconds: number): number {
  const share = seconds <= 0 ? 1 : Math.min(1, Math.max(0, elapsed / seconds));
  return from + (to - from) * share * share * (3 - 2 * share);
}
