/** What this browser remembers for longer than a tab lives; where it is forbidden to, nothing is remembered. */

/** What was kept under `name`, if it is still as `fits` wants it. */
export function recall<T>(name: string, fits: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(window.localStorage.getItem(`limn.${name}`) ?? 'null');
    return fits(value) ? value : null;
  } catch {
    return null;
  }
}

/** Keeps `value` under `name`; `null` forgets it. */
export function store(name: string, value: unknown): void {
  try {
    if (value === null) window.localStorage.removeItem(`limn.${name}`);
    else window.localStorage.setItem(`limn.${name}`, JSON.stringify(value));
  } catch {
    // Forbidden or full: said above.
  }
}
