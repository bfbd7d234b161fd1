/** Whether the server lets this page in, and showing it a key. */

export const RIGHTS = ['viewer', 'player', 'operator'] as const;
export type Right = (typeof RIGHTS)[number];

/** What of the page's address is used. */
export interface Place {
  hash: string;
  pathname: string;
  search: string;
}

export class Access {
  /** `undefined` until the server has said. */
  right = $state<Right | null | undefined>(undefined);
  fault = $state<string | null>(null);

  /** Signs in with what stands behind the address's `#`, if anything does, and asks what that allows. */
  async begin(place: Place = location, forget: (url: string) => void = (url) => history.replaceState(null, '', url)): Promise<void> {
    const signed = /^#sign=(.+)$/.exec(place.hash)?.[1];
    if (signed !== undefined) {
      // Out of the address line, which people show and copy.
      forget(place.pathname + place.search);
      await this.#show(signed);
    }
    await this.look();
  }

  /** A key that somebody has typed. */
  async signIn(key: string): Promise<void> {
    if (await this.#show(key.trim())) await this.look();
  }

  async look(): Promise<void> {
    try {
      const answer = await fetch('/api/me', { cache: 'no-store' });
      this.right = ((await answer.json()) as { right: Right | null }).right;
    } catch {
      // A server that is away is the page's own affair: it says so and comes back.
      this.right ??= 'operator';
    }
  }

  allows(needed: Right): boolean {
    return this.right != null && RIGHTS.indexOf(this.right) >= RIGHTS.indexOf(needed);
  }

  async #show(key: string): Promise<boolean> {
    const body = JSON.stringify({ key });
    try {
      const answer = await fetch('/api/login', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
      this.fault = answer.ok ? null : ((await answer.json()) as { error: { message: string } }).error.message;
      return answer.ok;
    } catch {
      this.fault = 'The server is away.';
      return false;
    }
  }
}
