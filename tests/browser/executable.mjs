// A program of the system, under whichever of its names it is installed.

import { execFileSync } from 'node:child_process';

/** The path of the first of `names` that is there. */
export function executable(names) {
  for (const name of names) {
    try {
      return execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {
      // The next name.
    }
  }
  throw new Error(`none of these is installed: ${names.join(', ')}`);
}
