/** What the server can paint with: its answer to `GET /api/pipelines`. */

import type { RowSchema, Values } from '../schema/schema';

/** What a row wants from a source: nothing, a picture, or a picture if there is one. */
export type Input = 'text' | 'image' | 'either';

/** A pipeline with a checkpoint, a schema and defaults of its own. */
export interface Row {
  id: string;
  aliases: string[];
  title: string;
  input: Input;
  /** `owner/name` on the hub, a local name, or nothing where no network is needed. */
  checkpoint: string | null;
  schema: RowSchema;
  defaults: Values;
}

/** A pipeline and its rows. */
export interface Pipeline {
  id: string;
  title: string;
  summary: string;
  input: Input;
  runs_on: 'cpu' | 'device';
  rows: Row[];
}

/** The whole registry. */
export interface Catalog {
  /** The row that a session gets when it names none. */
  default: string;
  pipelines: Pipeline[];
}

/** A row together with the pipeline that it belongs to. */
export interface Choice {
  pipeline: Pipeline;
  row: Row;
}

/** Fetches the registry; throws with words for a person when there is none to have. */
export async function fetchCatalog(signal?: AbortSignal): Promise<Catalog> {
  const response = await fetch('/api/pipelines', { cache: 'no-store', ...(signal ? { signal } : {}) });
  if (!response.ok) throw new Error(await explain(response));
  return (await response.json()) as Catalog;
}

/** All rows in the order of the registry. */
export function choicesOf(catalog: Catalog): Choice[] {
  return catalog.pipelines.flatMap((pipeline) => pipeline.rows.map((row) => ({ pipeline, row })));
}

/** The row called `id`, by its own name or by an alias. */
export function findRow(catalog: Catalog, id: string): Choice | undefined {
  const choices = choicesOf(catalog);
  return choices.find(({ row }) => row.id === id) ?? choices.find(({ row }) => row.aliases.includes(id));
}

/** The row to start with: the registry's default, else the first. */
export function defaultRow(catalog: Catalog): Choice | undefined {
  return findRow(catalog, catalog.default) ?? choicesOf(catalog)[0];
}

/** A failed answer in the server's own words where it sent any. */
async function explain(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error: { message: string; hint?: string | null } };
    return error.hint ? `${error.message} (${error.hint})` : error.message;
  } catch {
    return `the server answered ${response.status}`;
  }
}
