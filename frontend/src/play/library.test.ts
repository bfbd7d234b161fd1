import { describe, expect, it } from 'vitest';
import { fromFile, kept, ordered, remembered, toFile } from './library';

const preset = (name: string, favourite = false) => ({ name, values: { prompt: name }, ...(favourite ? { favourite } : {}) });

describe('presets', () => {
  it('have favourites first', () => {
    expect(ordered([preset('a'), preset('b', true), preset('c')]).map(({ name }) => name)).toEqual(['b', 'a', 'c']);
  });

  it('replace the one of their name', () => {
    const changed = { ...preset('a'), values: { prompt: 'other' } };
    expect(kept([preset('a'), preset('b')], changed)).toEqual([changed, preset('b')]);
    expect(kept([preset('a')], preset('b'))).toHaveLength(2);
  });

  it('travel in a file', () => {
    const presets = [{ ...preset('neon', true), picture: '/presets/neon.jpg' }, preset('ink')];
    expect(fromFile(toFile(presets))).toEqual(presets);
  });

  it.each([
    ['{', /no JSON/],
    ['[]', /no presets/],
    ['{"limn":"presets","presets":[{"values":{}}]}', /preset 1 has no name/],
    ['{"limn":"presets","presets":[{"name":"x","values":3}]}', /“x” has no values/],
  ])('are refused in words: %s', (text, words) => {
    expect(() => fromFile(text)).toThrow(words);
  });

  it('bring no picture from elsewhere', () => {
    const file = '{"limn":"presets","presets":[{"name":"x","values":{},"picture":"https://tracker.example/x.png"}]}';
    expect(fromFile(file)[0]).toEqual({ name: 'x', values: {} });
  });
});

describe('history', () => {
  it('has the newest first, nothing twice and no empty words', () => {
    expect(remembered(['a', 'b'], ' b ')).toEqual(['b', 'a']);
    expect(remembered(['a'], '  ')).toEqual(['a']);
  });
});
