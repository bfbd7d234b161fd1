import { expect, it } from 'vitest';
import { carry, fits } from './carry';
import { controlsOf } from './control';

const controls = controlsOf({
  properties: {
    prompt: { type: 'string', default: 'new' },
    steps: { type: 'integer', default: 1, minimum: 1, maximum: 4 },
    width: { type: 'integer', default: 512, minimum: 64, maximum: 1024, multipleOf: 8 },
    mode: { enum: ['a', 'b'], default: 'a' },
    flip: { type: 'boolean', default: false },
  },
});
const initial = { prompt: 'new', steps: 1, width: 512, mode: 'a', flip: false };

it('carries what was changed and fits; defaults of the old row stay behind', () => {
  const untouched = { prompt: 'old', steps: 8, width: 512, mode: 'z', flip: false };
  const before = { prompt: 'a fox', steps: 8, width: 640, mode: 'z', flip: true, gone: 1 };
  expect(carry(controls, initial, before, untouched)).toEqual({ prompt: 'a fox', steps: 1, width: 640, mode: 'a', flip: true });
});

it('leaves behind what does not fit', () => {
  const before = { prompt: 5, steps: 6, width: 513, mode: 'c', flip: 'yes' };
  expect(carry(controls, initial, before, {})).toEqual(initial);
  expect(controls.map((control) => fits(control, initial[control.name as keyof typeof initial]))).toEqual([true, true, true, true, true]);
});
