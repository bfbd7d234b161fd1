/** The last minute of a figure that comes once a second. */

const LENGTH = 60;

/** `values` with `value` at the end, no longer than a minute; what is not there yet counts as nothing. */
export function traced(values: readonly number[], value: number | undefined): number[] {
  return [...values, value ?? 0].slice(-LENGTH);
}

/** The points of a line through `values` in a box of `width` by `height`, the newest at the right edge, 0 at the bottom. */
export function points(values: readonly number[], width: number, height: number): string {
  const top = Math.max(...values, 1e-9);
  const step = width / (LENGTH - 1);
  return values.map((value, index) => `${(width - (values.length - 1 - index) * step).toFixed(1)},${(height - (value / top) * height).toFixed(1)}`).join(' ');
}
