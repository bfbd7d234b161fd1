import { describe, expect, it } from 'vitest';
import { between } from './morph';

describe('between', () => {
  it('starts, is halfway at half time, and ends', () => {
    expect(between(0.2, 1, 0, 4)).toBe(0.2);
    expect(between(0, 1, 2, 4)).toBe(0.5);
    expect(between(1, 0, 9, 4)).toBe(0);
  });

  it('is there at once when it has no time', () => {
    expect(between(0, 1, 0, 0)).toBe(1);
  });
});
