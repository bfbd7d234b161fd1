/** Short words that go away by themselves: something was refused, or a pipeline had something to say. */

/** One notice. */
export interface Notice {
  /** Notices with the same key are one notice, said again. */
  key: string;
  tone: 'warn' | 'info';
  text: string;
  hint: string;
}

const STAY_MS = 8000;
const MOST = 3;

export class Notices {
  list = $state.raw<Notice[]>([]);
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  /** Shows `notice`; said again, it stays longer instead of appearing twice. */
  say(notice: Notice): void {
    clearTimeout(this.#timers.get(notice.key));
    this.#timers.set(notice.key, setTimeout(() => this.drop(notice.key), STAY_MS));
    const there = this.list.some(({ key }) => key === notice.key);
    const next = there ? this.list.map((old) => (old.key === notice.key ? notice : old)) : [...this.list, notice];
    this.list = next.slice(-MOST);
  }

  /** Takes a notice away. */
  drop(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    this.list = this.list.filter((notice) => notice.key !== key);
  }
}
