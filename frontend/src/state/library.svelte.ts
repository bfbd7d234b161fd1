/** The prompt library: presets, favourites, history. */

import { fromFile, kept, ordered, remembered, toFile, type Preset } from '../play/library';
import type { Values } from '../schema/schema';
import type { Panel } from './panel.svelte';
import { recall, store } from './store';

/** Words that stay for so long were meant. */
const MEANT_MS = 2000;

const isList = (value: unknown): value is Preset[] => Array.isArray(value);
const isWords = (value: unknown): value is string[] => Array.isArray(value) && value.every((word) => typeof word === 'string');

export class Library {
  presets = $state.raw<Preset[]>([]);
  history = $state.raw<string[]>(recall('history', isWords) ?? []);

  readonly ordered = $derived(ordered(this.presets));
  #meant: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly panel: Panel) {}

  /** The presets of this browser, or those that ship. */
  async load(): Promise<void> {
    this.presets = recall('presets', isList) ?? (await shipped());
  }

  /** Sets what the preset says, as far as this row has it. */
  use(preset: Preset): void {
    for (const control of this.panel.controls) {
      const value = preset.values[control.name];
      if (value !== undefined) this.panel.set(control.name, value);
    }
  }

  /** The preset on the number key `digit`, 1 to 9. */
  play(digit: number): void {
    const preset = this.ordered[digit - 1];
    if (preset) this.use(preset);
  }

  /** Hears each prompt, and remembers those that stay. */
  hear(prompt: string): void {
    clearTimeout(this.#meant);
    this.#meant = setTimeout(() => {
      this.history = remembered(this.history, prompt);
      store('history', this.history);
    }, MEANT_MS);
  }

  add(name: string, values: Values, picture: string | undefined): void {
    this.#set(kept(this.presets, { name, values, ...(picture === undefined ? {} : { picture }) }));
  }

  remove(name: string): void {
    this.#set(this.presets.filter((preset) => preset.name !== name));
  }

  star(preset: Preset): void {
    this.#set(kept(this.presets, { ...preset, favourite: !preset.favourite }));
  }

  /** The file of all presets. */
  file(): Blob {
    return new Blob([toFile(this.presets)], { type: 'application/json' });
  }

  /** Adds what a file holds; throws, in words, where it holds no presets. */
  take(text: string): number {
    const taken = fromFile(text);
    this.#set(taken.reduce(kept, this.presets));
    return taken.length;
  }

  /** Back to those that ship. */
  async reset(): Promise<void> {
    store('presets', null);
    this.presets = await shipped();
  }

  #set(presets: Preset[]): void {
    this.presets = presets;
    store('presets', presets);
  }
}

async function shipped(): Promise<Preset[]> {
  try {
    const answer = await fetch('/presets.json');
    return fromFile(await answer.text());
  } catch {
    // A page without its file paints without presets.
    return [];
  }
}
