import { describe, expect, it } from 'vitest';
import { clamp, digits, format, niceStep } from './number';

describe('niceStep', () => {
  it.each([[1, 0.01], [2, 0.02], [20, 0.2], [0.3, 0.002], [1000, 10], [0, 0.01]])('cuts a span of %d into steps of %d', (span, step) => {
    expect(niceStep(span)).toBe(step);
  });
});

describe('clamp', () => {
  const size = { min: 64, max: 1020, step: 8, whole: true, multipleOf: 8 };
  it('keeps to the bounds and the multiple', () => {
    expect(clamp(0, size)).toBe(64);
    expect(clamp(515, size)).toBe(512);
    expect(clamp(5000, size)).toBe(1016);
  });
  it('rounds whole numbers and leaves real ones fine', () => {
    expect(clamp(2.6, { min: 0, max: 8, step: 1, whole: true })).toBe(3);
    expect(clamp(0.123, { min: 0, max: 1, step: 0.05, whole: false })).toBe(0.123);
  });
  it('gives no float noise', () => {
    expect(clamp(0.31, { min: 0, max: 1, step: 0.1, whole: false, multipleOf: 0.1 })).toBe(0.3);
  });
});

describe('format', () => {
  it('shows the digits of the step, and more where the value has them', () => {
    expect(format(0.5, 0.05)).toBe('0.50');
    expect(format(0.123, 0.05)).toBe('0.123');
    expect(format(512, 8)).toBe('512');
    expect(digits(1e-7)).toBe(7);
  });
});
