/** Knobs, keys and sticks: which are there, and what each of them turns. */

import { midi, moved, turned } from '../play/knobs';
import type { Library } from './library.svelte';
import type { Panel } from './panel.svelte';
import { recall, store } from './store';

/** What is turned: a parameter by its name, or a preset. */
export type Target = `param ${string}` | `preset ${string}`;
type Bindings = Record<string, Target>;

const isBindings = (value: unknown): value is Bindings => typeof value === 'object' && value !== null && !Array.isArray(value);

export class Knobs {
  /** The names of what is connected; null before MIDI was asked for. */
  devices = $state.raw<string[] | null>(null);
  /** Why there is no MIDI. */
  fault = $state<string | null>(null);
  bindings = $state.raw<Bindings>(recall('knobs', isBindings) ?? {});
  /** What the next thing that moves will turn. */
  learning = $state<Target | null>(null);

  readonly #lain = new Map<string, number>();

  constructor(
    private readonly panel: Panel,
    private readonly library: Library,
  ) {}

  /** Whether there is anything to learn from. */
  get there(): boolean {
    return this.devices !== null;
  }

  /** Asks the browser for MIDI, and begins to look at gamepads. */
  async connect(): Promise<void> {
    this.fault = null;
    this.devices = [];
    requestAnimationFrame(() => this.#look());
    if (!('requestMIDIAccess' in navigator)) {
      this.fault = 'This browser has no MIDI; Chrome, Edge, Opera and Firefox have. Gamepads work.';
      return;
    }
    try {
      const access = await navigator.requestMIDIAccess();
      const listen = () => {
        const inputs = [...access.inputs.values()];
        for (const input of inputs) input.onmidimessage = ({ data }) => data && this.#heard(midi(data));
        this.devices = inputs.map((input) => input.name ?? 'MIDI');
      };
      access.onstatechange = listen;
      listen();
    } catch {
      this.fault = 'MIDI was refused. Allow it in the address bar, then try again. Gamepads work.';
    }
  }

  /** The next thing that moves turns `target`; asked again, it does not. */
  learn(target: Target): void {
    this.learning = this.learning === target ? null : target;
  }

  forget(key: string): void {
    const { [key]: _gone, ...rest } = this.bindings;
    this.#bind(rest);
  }

  /** What turns `target`. */
  of(target: Target): string | undefined {
    return Object.keys(this.bindings).find((key) => this.bindings[key] === target);
  }

  #bind(bindings: Bindings): void {
    this.bindings = bindings;
    store('knobs', bindings);
  }

  #heard(message: { key: string; value: number } | null): void {
    if (message === null) return;
    const { key, value } = message;
    if (this.learning !== null && value > 0) {
      this.#bind({ ...this.bindings, [key]: this.learning });
      this.learning = null;
    }
    const target = this.bindings[key];
    if (target?.startsWith('preset ') && value > 0) {
      const preset = this.library.presets.find(({ name }) => name === target.slice('preset '.length));
      if (preset) this.library.use(preset);
    } else if (target?.startsWith('param ')) {
      const control = this.panel.controls.find(({ name }) => name === target.slice('param '.length));
      const next = control && turned(control, value);
      if (control && next !== undefined && next !== this.panel.values[control.name]) this.panel.set(control.name, next);
    }
  }

  #look(): void {
    for (const pad of navigator.getGamepads()) {
      if (pad) for (const [key, value] of moved(pad, this.#lain)) this.#heard({ key, value });
    }
    requestAnimationFrame(() => this.#look());
  }
}
