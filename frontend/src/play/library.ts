/** Presets: values under a name, with a picture; and the file they travel in. */

import type { Values } from '../schema/schema';

/** One preset. */
export interface Preset {
  name: string;
  values: Values;
  /** A small picture: a URL, or the picture itself as one. */
  picture?: string;
  /** Favourites come first. */
  favourite?: boolean;
}

/** How many prompts are remembered. */
const HISTORY = 30;

/** Favourites first, else in the order they have: the first nine are on the number keys. */
export function ordered(presets: readonly Preset[]): Preset[] {
  return [...presets.filter((preset) => preset.favourite), ...presets.filter((preset) => !preset.favourite)];
}

/** `presets` with `preset` in the place of the one of its name, or behind them. */
export function kept(presets: readonly Preset[], preset: Preset): Preset[] {
  const there = presets.some(({ name }) => name === preset.name);
  return there ? presets.map((old) => (old.name === preset.name ? preset : old)) : [...presets, preset];
}

/** `history` with `prompt` first and nothing twice. */
export function remembered(history: readonly string[], prompt: string): string[] {
  const text = prompt.trim();
  if (text === '') return [...history];
  return [text, ...history.filter((old) => old !== text)].slice(0, HISTORY);
}

/** The file that presets travel in. */
export function toFile(presets: readonly Preset[]): string {
  return `${JSON.stringify({ limn: 'presets', presets }, null, 2)}\n`;
}

/** What such a file holds; throws, in words, where it is none. */
export function fromFile(text: string): Preset[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error('the file is no JSON');
  }
  const list = (file as { limn?: unknown; presets?: unknown } | null)?.presets;
  if ((file as { limn?: unknown } | null)?.limn !== 'presets' || !Array.isArray(list)) throw new Error('the file holds no presets of Limn');
  return list.map((item: unknown, index) => {
    const { name, values, picture, favourite } = (item ?? {}) as Partial<Preset>;
    if (typeof name !== 'string' || name.trim() === '') throw new Error(`preset ${index + 1} has no name`);
    if (typeof values !== 'object' || values === null || Array.isArray(values)) throw new Error(`preset “${name}” has no values`);
    return {
      name: name.trim(),
      values,
      // Nothing is fetched from elsewhere because a file says so.
      ...(typeof picture === 'string' && /^(data:image\/|\/presets\/)/.test(picture) ? { picture } : {}),
      ...(favourite === true ? { favourite } : {}),
    };
  });
}
