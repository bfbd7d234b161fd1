/** What stays when the panel changes to another row. */

import type { Control } from './control';
import type { Json, Values } from './schema';

/**
 * The new row's `initial` values with those that the person had changed and that fit the new row's controls.
 *
 * `before` are the values under the old row and `untouched` what that row began with: its own defaults do not move over.
 */
export function carry(controls: Control[], initial: Values, before: Values, untouched: Values): Values {
  const values = { ...initial };
  for (const control of controls) {
    const value = before[control.name];
    if (value === undefined || value === untouched[control.name]) continue;
    if (fits(control, value)) values[control.name] = value;
  }
  return values;
}

/** Whether `control` could have made `value`. */
export function fits(control: Control, value: Json): boolean {
  switch (control.kind) {
    case 'text':
      return typeof value === 'string' && value.length <= (control.maxLength ?? Infinity);
    case 'toggle':
      return typeof value === 'boolean';
    case 'choice':
      return control.options.some((option) => option.value === value);
    default:
      if (typeof value !== 'number' || value < control.min || value > control.max) return false;
      if (control.whole && !Number.isInteger(value)) return false;
      return control.multipleOf === undefined || Math.abs(value / control.multipleOf - Math.round(value / control.multipleOf)) < 1e-9;
  }
}
