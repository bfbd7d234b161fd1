import { describe, expect, it } from 'vitest';
import { points, traced } from './trace';

describe('a trace', () => {
  it('keeps a minute', () => {
    let values: number[] = [];
    for (let second = 0; second < 70; second += 1) values = traced(values, second);
    expect(values).toHaveLength(60);
    expect(values.at(-1)).toBe(69);
    expect(traced([], undefined)).toEqual([0]);
  });

  it('ends at the right edge, and its highest value at the top', () => {
    expect(points([5, 10], 59, 20)).toBe('58.0,10.0 59.0,0.0');
    expect(points([0], 59, 20)).toBe('59.0,20.0');
  });
});
