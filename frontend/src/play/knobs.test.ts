import { describe, expect, it } from 'vitest';
import type { Control } from '../schema/control';
import { midi, moved, turned } from './knobs';

const common = { name: 'x', title: 'X', help: '', advanced: false, initial: 0 };

describe('midi', () => {
  it('names knobs and keys by channel and number', () => {
    expect(midi([0xb0, 7, 127])).toEqual({ key: 'midi 1 knob 7', value: 1 });
    expect(midi([0x92, 60, 0])).toEqual({ key: 'midi 3 key 60', value: 0 });
    expect(midi([0x80, 60, 64])).toEqual({ key: 'midi 1 key 60', value: 0 });
    expect(midi([0xf8])).toBeNull();
  });
});

describe('a gamepad', () => {
  it('says what moved, and nothing of what lies still or trembles', () => {
    const before = new Map<string, number>();
    const pad = (axis: number, value: number) => ({ index: 0, axes: [axis], buttons: [{ value }] });
    expect(moved(pad(0, 0), before)).toEqual([]);
    expect(moved(pad(0.01, 0), before)).toEqual([]);
    expect(moved(pad(1, 1), before)).toEqual([
      ['pad 1 stick 1', 1],
      ['pad 1 button 1', 1],
    ]);
  });
});

describe('turned', () => {
  const range: Control = { ...common, kind: 'range', min: 0.1, max: 1, step: 0.05, whole: false };
  it('goes from one end of a slider to the other in its steps', () => {
    expect(turned(range, 0)).toBe(0.1);
    expect(turned(range, 1)).toBe(1);
    expect(turned(range, 0.5)).toBe(0.55);
  });

  it('keeps to what the server takes', () => {
    expect(turned({ ...common, kind: 'range', min: 64, max: 1024, step: 8, whole: true, multipleOf: 8 }, 0.333)).toBe(384);
  });

  it('switches, chooses, and leaves words alone', () => {
    expect(turned({ ...common, kind: 'toggle' }, 0.7)).toBe(true);
    const options = ['a', 'b', 'c'].map((value) => ({ value, label: value, help: '' }));
    expect([0, 0.5, 1].map((turn) => turned({ ...common, kind: 'choice', options }, turn))).toEqual(['a', 'b', 'c']);
    expect(turned({ ...common, kind: 'text', multiline: true }, 1)).toBeUndefined();
  });
});
