import { describe, expect, it } from 'vitest';
import { controlsOf, initialValues, spoken } from './control';
import type { RowSchema } from './schema';

const schema: RowSchema = {
  properties: {
    prompt: { type: 'string', title: 'Prompt', description: 'What to paint', default: 'a fox', 'x-field': 'textarea' },
    steps: { type: 'integer', default: 2, minimum: 1, maximum: 8 },
    strength: { type: 'number', default: 0.5, minimum: 0, maximum: 1, 'x-step': 0.05, 'x-advanced': true },
    width: { type: 'integer', default: 512, minimum: 64, maximum: 1024, multipleOf: 8 },
    seed: { type: 'integer', default: 1, minimum: 0, maximum: 9007199254740991, 'x-field': 'seed' },
    mirror: { type: 'boolean', default: false },
    blend_mode: { default: 'slerp', oneOf: [{ const: 'slerp', description: 'on the sphere' }, { const: 'linear' }] },
    edge: { type: 'string', enum: ['canny', 'sobel'], default: 'canny' },
    secret: { type: 'string', default: 'x', 'x-field': 'hidden' },
    limit: { type: ['integer', 'null'], default: null, minimum: 0, maximum: 10 },
  },
};

describe('controlsOf', () => {
  const controls = controlsOf(schema);
  const named = (name: string) => controls.find((control) => control.name === name);

  it('keeps the order of the schema and leaves hidden ones out', () => {
    expect(controls.map((control) => control.name)).toEqual([
      'prompt', 'steps', 'strength', 'width', 'seed', 'mirror', 'blend_mode', 'edge', 'limit',
    ]);
  });

  it('chooses the control from the type and x-field', () => {
    expect(controls.map((control) => control.kind)).toEqual([
      'text', 'range', 'range', 'range', 'seed', 'toggle', 'choice', 'choice', 'range',
    ]);
    expect(named('prompt')).toMatchObject({ multiline: true, title: 'Prompt', help: 'What to paint', initial: 'a fox' });
  });

  it('takes the step from x-step, then multipleOf, then the type', () => {
    expect(named('strength')).toMatchObject({ step: 0.05, advanced: true });
    expect(named('width')).toMatchObject({ step: 8, multipleOf: 8 });
    expect(named('steps')).toMatchObject({ step: 1, whole: true });
  });

  it('reads enums written as branches and as lists', () => {
    expect(named('blend_mode')).toMatchObject({
      options: [{ value: 'slerp', label: 'Slerp', help: 'on the sphere' }, { value: 'linear', label: 'Linear', help: '' }],
    });
    expect(named('edge')).toMatchObject({ options: [{ value: 'canny' }, { value: 'sobel' }] });
  });

  it('draws a box and no slider where the range is too long to aim in, or open', () => {
    const kinds = controlsOf({
      properties: { long: { type: 'integer', minimum: 0, maximum: 1e9 }, open: { type: 'number', minimum: 0 } },
    }).map((control) => control.kind);
    expect(kinds).toEqual(['number', 'number']);
  });

  it('never offers a bound that is itself forbidden', () => {
    const [scale] = controlsOf({ properties: { scale: { type: 'number', exclusiveMinimum: 0, maximum: 1 } } });
    expect(scale).toMatchObject({ kind: 'range', min: 0.01, max: 1 });
  });

  it('has no control for what it cannot edit', () => {
    expect(controlsOf({ properties: { list: { type: 'array' } } })).toEqual([]);
    expect(controlsOf({})).toEqual([]);
  });
});

describe('initialValues', () => {
  it('prefers the row over the schema and keeps hidden parameters', () => {
    expect(initialValues(schema, { steps: 4 })).toMatchObject({ steps: 4, prompt: 'a fox', secret: 'x', limit: null });
  });
});

describe('spoken', () => {
  it('writes a name as a person would', () => expect(spoken('guidance_scale')).toBe('Guidance scale'));
});
