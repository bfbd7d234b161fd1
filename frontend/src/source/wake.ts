/** Waiting that a hidden tab does not slow down. */

let worker: Worker | null = null;
let next = 0;
const sleepers = new Map<number, () => void>();

/** Resolves after `ms` milliseconds, whether the tab is seen or not. */
export function wake(ms: number): Promise<void> {
  const clock = (worker ??= start());
  const id = next++;
  return new Promise((done) => {
    sleepers.set(id, done);
    clock.postMessage({ id, ms });
  });
}

function start(): Worker {
  const clock = new Worker(new URL('./wake.worker.ts', import.meta.url), { type: 'module' });
  clock.onmessage = (event: MessageEvent<number>) => {
    sleepers.get(event.data)?.();
    sleepers.delete(event.data);
  };
  return clock;
}
