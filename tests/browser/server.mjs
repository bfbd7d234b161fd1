// The server under test: started on a free port of the loopback, stopped by its own process id.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Camera } from './camera.mjs';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const BINARY = process.env.LIMN_SERVER ?? join(ROOT, 'target/release/server');
/** Loading the first pipeline and painting one frame, on a busy machine. */
const READY_MS = 60_000;

/** A port that was free a moment ago. */
export async function freePort() {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address();
  holder.close();
  await once(holder, 'close');
  return port;
}

/** One process of the server. */
export class Server {
  #child;
  #log = '';

  /** Starts it with `args` and returns when it has painted its first frame. */
  static async start(args = [], port = undefined) {
    const server = new Server(port ?? (await freePort()), args);
    try {
      await server.#ready();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** The same, and it stops when the test `t` is over. */
  static async during(t, args = [], port = undefined) {
    const server = await Server.start(args, port);
    t.after(() => server.stop());
    return server;
  }

  constructor(port, args) {
    this.port = port;
    this.url = `${args.includes('--ssl-certfile') ? 'https' : 'http'}://127.0.0.1:${port}`;
    this.#child = spawn(BINARY, ['--port', String(port), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on('data', (text) => (this.#log += text));
    this.#child.on('error', (error) => (this.#log += error));
  }

  /** What it has written. */
  get log() {
    return this.#log;
  }

  /** A camera in a new session of it. */
  session() {
    return Camera.session(this);
  }

  /** What it answers at `path`. */
  async json(path) {
    const answer = await fetch(this.url + path);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Ends it by `signal`; a server that has not gone after 10 s is killed, and that is an error. */
  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const late = await Promise.race([gone.then(() => false), wait(10_000, true, { ref: false })]);
    if (!late) return;
    child.kill('SIGKILL');
    await gone;
    throw new Error(`the server did not stop within 10 s of ${signal}:\n${this.#log}`);
  }

  async #ready() {
    for (const end = Date.now() + READY_MS; Date.now() < end; await wait(100)) {
      if (this.#child.pid === undefined || this.#child.exitCode !== null) break;
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
    }
    throw new Error(`${BINARY} did not become ready:\n${this.#log}`);
  }
}
