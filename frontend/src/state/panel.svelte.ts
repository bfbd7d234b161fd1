/** The row that is chosen and the values of its parameters. */

import { defaultRow, fetchCatalog, findRow, type Catalog, type Choice } from '../catalog/catalog';
import { carry, fits } from '../schema/carry';
import { controlsOf, initialValues } from '../schema/control';
import type { Json, Values } from '../schema/schema';
import type { Size } from '../source/source';
import { backoff } from '../wire/backoff';
import { keep, kept } from './kept';

export class Panel {
  catalog = $state.raw<Catalog | null>(null);
  /** Why there is no catalog; it is being asked for again. */
  fault = $state<string | null>(null);
  choice = $state.raw<Choice | null>(null);
  /** The row that was asked for and is still loading. */
  pending = $state<string | null>(null);
  values = $state.raw<Values>({});
  /** What the server said about a value that it would not take, by parameter. */
  refused = $state.raw<Record<string, string>>({});

  readonly controls = $derived(this.choice ? controlsOf(this.choice.row.schema) : []);
  readonly basic = $derived(this.controls.filter((control) => !control.advanced));
  readonly advanced = $derived(this.controls.filter((control) => control.advanced));

  /** Told of every change by hand, so that it can be sent. */
  onchange: ((name: string, value: Json) => void) | null = null;

  /** Fetches the catalog, again and again until there is one. */
  async load(): Promise<void> {
    for (let attempt = 0; this.catalog === null; attempt += 1) {
      try {
        const catalog = await fetchCatalog();
        this.catalog = catalog;
        this.fault = null;
        this.#restore(catalog);
      } catch (error) {
        this.fault = error instanceof Error ? error.message : String(error);
        await new Promise((done) => setTimeout(done, backoff(attempt)));
      }
    }
  }

  /** Changes to row `id` here and now; what was changed by hand moves over where it fits. */
  choose(id: string): void {
    const choice = this.catalog && findRow(this.catalog, id);
    if (!choice) return;
    const untouched = this.choice ? initialValues(this.choice.row.schema, this.choice.row.defaults) : {};
    const before = this.values;
    const initial = initialValues(choice.row.schema, choice.row.defaults);
    this.choice = choice;
    this.refused = {};
    this.values = carry(this.controls, initial, before, untouched);
    this.#keep();
  }

  /**
   * The server is ready with row `id`, whose values are `params`.
   *
   * Where the row is the one that is shown already, the values here are newer than the server's: it has them with the
   * next frame.
   */
  adopt(id: string, params?: Values): void {
    this.pending = null;
    if (this.choice?.row.id === id) return;
    this.choose(id);
    if (params) this.values = { ...this.values, ...params };
    this.#keep();
  }

  set(name: string, value: Json): void {
    this.values = { ...this.values, [name]: value };
    const { [name]: _forgiven, ...refused } = this.refused;
    this.refused = refused;
    this.#keep();
    this.onchange?.(name, value);
  }

  reset(name: string): void {
    const initial = this.initial(name);
    if (initial !== undefined) this.set(name, initial);
  }

  /** What `name` is before anyone touches it. */
  initial(name: string): Json | undefined {
    return this.choice ? initialValues(this.choice.row.schema, this.choice.row.defaults)[name] : undefined;
  }

  /** The whole set for the wire, without what was refused: the server goes on with the last value it took. */
  full(): Values {
    return Object.fromEntries(Object.entries(this.values).filter(([name]) => !(name in this.refused)));
  }

  /** The size of the picture that is asked for. */
  size(): Size {
    const side = (name: string) => {
      const value = this.values[name];
      return typeof value === 'number' && value >= 1 ? Math.round(value) : 512;
    };
    return { width: side('width'), height: side('height') };
  }

  #restore(catalog: Catalog): void {
    const before = kept();
    const choice = (before && findRow(catalog, before.row)) ?? defaultRow(catalog);
    if (!choice) return;
    this.choice = choice;
    this.values = initialValues(choice.row.schema, choice.row.defaults);
    if (before?.row !== choice.row.id) return;
    for (const control of this.controls) {
      const value = before.values[control.name];
      if (value !== undefined && fits(control, value)) this.values = { ...this.values, [control.name]: value };
    }
  }

  #keep(): void {
    if (this.choice) keep({ row: this.choice.row.id, values: this.values });
  }
}
