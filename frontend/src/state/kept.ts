/** What a tab remembers over a reload: its row and its values. */

import type { Values } from '../schema/schema';

const KEY = 'limn.panel';

/** A row and the values it had. */
export interface Kept {
  row: string;
  values: Values;
}

/** The tab's own storage, or nothing where the browser forbids even to look at it. */
export function tabStore(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Remembers; where storage is forbidden or full, a reload simply starts with the defaults. */
export function keep(state: Kept): void {
  try {
    tabStore()?.setItem(KEY, JSON.stringify(state));
  } catch {
    // Said above.
  }
}

/** What was remembered, if anything. */
export function kept(): Kept | null {
  try {
    const state = JSON.parse(tabStore()?.getItem(KEY) ?? 'null') as Kept | null;
    return typeof state?.row === 'string' && typeof state.values === 'object' ? state : null;
  } catch {
    return null;
  }
}
