// The least that a server can do between a camera and a viewer (tests/clients/echo.py), as a peer.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Camera } from './camera.mjs';
import { ROOT } from './server.mjs';

/** One process of it, whose boundaries come `first` or `last`. */
export class Echo {
  #child;

  static async start(boundary) {
    const echo = new Echo(boundary);
    const lines = createInterface(echo.#child.stdout);
    const [ports] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
    if (ports === undefined) throw new Error('the echo server did not start');
    [echo.camera, echo.port] = ports.split(' ').map(Number);
    return echo;
  }

  constructor(boundary) {
    const script = join(ROOT, 'tests/clients/echo.py');
    this.#child = spawn(join(ROOT, '.venv/bin/python'), [script, '--boundary', boundary], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** A camera of it; every viewer sees every camera. */
  async session() {
    const camera = await Camera.at(`ws://127.0.0.1:${this.camera}`);
    camera.stream = `http://127.0.0.1:${this.port}/`;
    return camera;
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill();
    await gone;
  }
}
