/** What a knob, a key or a stick does: it has a name, and gives a value from 0 to 1. */

import type { Control } from '../schema/control';
import { clamp } from '../schema/number';
import type { Json } from '../schema/schema';

/** The name of a MIDI message's knob or key and how far it is turned; nothing for messages of other kinds. */
export function midi(data: ArrayLike<number>): { key: string; value: number } | null {
  const [status = 0, number = 0, level = 0] = Array.from(data);
  const channel = (status & 0x0f) + 1;
  switch (status & 0xf0) {
    case 0xb0:
      return { key: `midi ${channel} knob ${number}`, value: level / 127 };
    case 0x90:
      return { key: `midi ${channel} key ${number}`, value: level / 127 };
    // Let go of.
    case 0x80:
      return { key: `midi ${channel} key ${number}`, value: 0 };
    default:
      return null;
  }
}

/** A stick is never quite still. */
const STILL = 0.02;

/** What has moved on a gamepad since `before`, which is brought up to date. */
export function moved(pad: { index: number; axes: readonly number[]; buttons: readonly { value: number }[] }, before: Map<string, number>) {
  const now: [string, number][] = [
    ...pad.axes.map((axis, index): [string, number] => [`pad ${pad.index + 1} stick ${index + 1}`, (axis + 1) / 2]),
    ...pad.buttons.map((button, index): [string, number] => [`pad ${pad.index + 1} button ${index + 1}`, button.value]),
  ];
  return now.filter(([key, value]) => {
    const old = before.get(key);
    // As it lies when it is first seen is no movement.
    if (old !== undefined && Math.abs(old - value) < STILL) return false;
    before.set(key, value);
    return old !== undefined;
  });
}

/** The value of `control` for a knob that is turned to `turn`, 0 to 1; nothing where it cannot be turned. */
export function turned(control: Control, turn: number): Json | undefined {
  switch (control.kind) {
    case 'toggle':
      return turn >= 0.5;
    case 'choice':
      return control.options[Math.min(control.options.length - 1, Math.floor(turn * control.options.length))]?.value;
    case 'text':
      return undefined;
    default: {
      const { min, max, step } = control;
      const steps = Math.round((turn * (max - min)) / step);
      return clamp(Number((min + steps * step).toPrecision(12)), control);
    }
  }
}
