/**
 * The name of this tab's session.
 *
 * It lives in the tab's own storage, so a reload finds its session and another tab never does. A duplicated tab copies
 * that storage; the server refuses its socket because the id is live, and the socket then asks for a new name here.
 */

const KEY = 'limn.session';

/** What of the Web Crypto API is used; `randomUUID` is missing on pages that are not secure. */
interface Random {
  randomUUID?: () => string;
  getRandomValues(bytes: Uint8Array<ArrayBuffer>): Uint8Array;
}

/** A new version 4 UUID. */
export function mint(random: Random = crypto as Random): string {
  if (typeof random.randomUUID === 'function') return random.randomUUID();
  const bytes = new Uint8Array(16);
  random.getRandomValues(bytes);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The name that this tab had before its reload, else a new one, kept. */
export function recall(store: Storage | null): string {
  const kept = read(store);
  return kept !== null && /^[0-9a-f-]{36}$/.test(kept) ? kept : renew(store);
}

/** A new name, kept. */
export function renew(store: Storage | null): string {
  const id = mint();
  try {
    store?.setItem(KEY, id);
  } catch {
    // Storage can be forbidden or full; then a reload simply begins a new session.
  }
  return id;
}

function read(store: Storage | null): string | null {
  try {
    return store?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}
