/** The part of JSON Schema 2020-12 that the server writes for a row's parameters. */

/** Any value that JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A set of parameters, or a patch to one: name to value. */
export type Values = Record<string, Json>;

/** One branch of an enum that says something about each of its values. */
export interface Branch {
  const?: Json;
  enum?: Json[];
  title?: string;
  description?: string;
}

/** One parameter. */
export interface Property {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  maxLength?: number;
  enum?: Json[];
  oneOf?: Branch[];
  anyOf?: Branch[];
  /** Which control to draw where the type alone does not say. */
  'x-field'?: 'textarea' | 'seed' | 'hidden';
  /** Kept under the advanced options. */
  'x-advanced'?: boolean;
  /** The slider's step, where it is coarser than what the server would take. */
  'x-step'?: number;
}

/** The parameters of a row; the order of `properties` is the order on the screen. */
export interface RowSchema {
  properties?: Record<string, Property>;
}
