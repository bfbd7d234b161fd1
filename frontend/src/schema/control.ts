/** From a row's schema to the controls of its panel. */

import { niceStep, type Bounds } from './number';
import type { Branch, Json, Property, RowSchema, Values } from './schema';

/** What every control has. */
interface Common {
  /** The parameter's name on the wire. */
  name: string;
  title: string;
  help: string;
  advanced: boolean;
  /** What reset goes back to. */
  initial: Json;
}

/** One value of a choice. */
export interface Option {
  value: Json;
  label: string;
  help: string;
}

export type RangeControl = Common & Bounds & { kind: 'range' };
export type NumberControl = Common & Bounds & { kind: 'number' };
export type SeedControl = Common & Bounds & { kind: 'seed' };
export type TextControl = Common & { kind: 'text'; multiline: boolean; maxLength?: number };
export type ToggleControl = Common & { kind: 'toggle' };
export type ChoiceControl = Common & { kind: 'choice'; options: Option[] };

/** One control of the panel. */
export type Control = RangeControl | NumberControl | SeedControl | TextControl | ToggleControl | ChoiceControl;

/** Past so many steps a slider cannot be aimed, and a box alone is drawn. */
const AIMABLE_STEPS = 20_000;

/** The controls of a row in the schema's order; hidden parameters have none. */
export function controlsOf(schema: RowSchema): Control[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => controlOf(name, property) ?? []);
}

/** What a new session of this row starts with: the row's defaults, and the schema's where those are silent. */
export function initialValues(schema: RowSchema, defaults: Values): Values {
  const values: Values = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = defaults[name] ?? property.default;
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** The control of one parameter; none where it is hidden or of a type that no control can edit. */
function controlOf(name: string, property: Property): Control | null {
  if (property['x-field'] === 'hidden') return null;
  const common: Common = {
    name,
    title: property.title ?? spoken(name),
    help: property.description ?? '',
    advanced: property['x-advanced'] === true,
    initial: property.default ?? null,
  };
  const options = optionsOf(property);
  if (options.length > 0) return { ...common, kind: 'choice', options };
  switch (typeOf(property)) {
    case 'boolean':
      return { ...common, kind: 'toggle' };
    case 'string': {
      const multiline = property['x-field'] === 'textarea';
      const limit = property.maxLength === undefined ? {} : { maxLength: property.maxLength };
      return { ...common, kind: 'text', multiline, ...limit };
    }
    case 'integer':
      return numeric(common, property, true);
    case 'number':
      return numeric(common, property, false);
    default:
      return null;
  }
}

function numeric(common: Common, property: Property, whole: boolean): Control {
  const seed = property['x-field'] === 'seed';
  const low = property.minimum ?? property.exclusiveMinimum;
  const high = property.maximum ?? property.exclusiveMaximum;
  const span = low === undefined || high === undefined ? undefined : high - low;
  const natural = whole ? 1 : span === undefined ? 0.01 : niceStep(span);
  const step = property['x-step'] ?? property.multipleOf ?? natural;
  // A bound that is itself forbidden is stepped back from, so that no end of a slider is refused.
  const min = property.minimum ?? (low === undefined ? undefined : low + step);
  const max = property.maximum ?? (high === undefined ? undefined : high - step);
  const bounds: Bounds = {
    min: min ?? (seed ? 0 : Number.MIN_SAFE_INTEGER),
    max: Math.min(max ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    step,
    whole,
    ...(property.multipleOf === undefined ? {} : { multipleOf: property.multipleOf }),
  };
  if (seed) return { ...common, ...bounds, kind: 'seed' };
  const aimable = span !== undefined && span / step <= AIMABLE_STEPS;
  return { ...common, ...bounds, kind: aimable ? 'range' : 'number' };
}

/** The values of an enum, which schemars writes as a plain list or, where values are documented, as branches. */
function optionsOf(property: Property): Option[] {
  const plain = property.enum ?? [];
  const branches = property.oneOf ?? property.anyOf ?? [];
  return [...plain.map((value) => option(value)), ...branches.flatMap(branchOptions)];
}

function branchOptions(branch: Branch): Option[] {
  if (branch.const !== undefined) return [option(branch.const, branch)];
  return (branch.enum ?? []).map((value) => option(value, branch));
}

function option(value: Json, branch: Branch = {}): Option {
  return { value, label: branch.title ?? spoken(String(value)), help: branch.description ?? '' };
}

/** The type that is not null: an optional field is written as `["integer", "null"]`. */
function typeOf(property: Property): string | undefined {
  if (!Array.isArray(property.type)) return property.type;
  return property.type.find((type) => type !== 'null');
}

/** `guidance_scale` as a person would write it: `Guidance scale`. */
export function spoken(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
