/** Numbers as a slider and a number box need them: steps, bounds, digits. */

/** What a number may be. */
export interface Bounds {
  min: number;
  max: number;
  /** The slider's step. */
  step: number;
  /** Only whole numbers. */
  whole: boolean;
  /** Only multiples of this, where the server says so. */
  multipleOf?: number;
}

/** The largest of 1, 2, 5 times a power of ten that cuts `span` into at least a hundred steps. */
export function niceStep(span: number): number {
  if (!(span > 0) || !Number.isFinite(span)) return 0.01;
  const raw = span / 100;
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  const nice = lead >= 5 ? 5 : lead >= 2 ? 2 : 1;
  return Number((nice * power).toPrecision(1));
}

/** `value` brought within the bounds, whole or a multiple where it must be. */
export function clamp(value: number, bounds: Bounds): number {
  const { min, max, whole, multipleOf } = bounds;
  let fitted = Math.min(max, Math.max(min, value));
  if (multipleOf !== undefined && multipleOf > 0) {
    fitted = Math.round(fitted / multipleOf) * multipleOf;
    if (fitted > max) fitted -= multipleOf;
    if (fitted < min) fitted += multipleOf;
    // 3 * 0.1 is 0.30000000000000004, which no schema calls a multiple.
    fitted = Number(fitted.toPrecision(12));
  } else if (whole) {
    fitted = Math.round(fitted);
  }
  return fitted;
}

/** How many digits after the point `step` has. */
export function digits(step: number): number {
  const text = step.toString();
  const exponent = /e-(\d+)$/.exec(text);
  if (exponent) return Number(exponent[1]);
  return text.split('.')[1]?.length ?? 0;
}

/** `value` with as many digits as it needs and no float noise. */
export function format(value: number, step: number): string {
  const short = Number(value.toFixed(Math.max(digits(step), 4)));
  return short.toFixed(Math.max(digits(step), digits(short)));
}
