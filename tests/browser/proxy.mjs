// A wire between a browser and a server that can be cut: what a flaky network does to connections that are open.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Carries bytes from a port of its own to `port`, until cut. */
export class Proxy {
  #server;
  #sockets = new Set();

  static async start(port) {
    const proxy = new Proxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  constructor(port) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [socket, other] of [[near, far], [far, near]]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  /** Breaks every connection that is open, without a goodbye; new ones are carried again. */
  cut() {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop() {
    this.#server.close();
    this.cut();
  }
}
