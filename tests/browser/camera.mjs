// A camera that shows what it is told to, at the moment it is told.

import { once } from 'node:events';
import WebSocket from 'ws';

/** Pictures into a WebSocket, one binary message each. */
export class Camera {
  #socket;

  /** In a new session of `server`; `stream` is where that is watched. */
  static async session(server) {
    const answer = await fetch(`${server.url}/api/sessions`, { method: 'POST', body: '{}' });
    if (answer.status !== 201) throw new Error(`no session: ${answer.status}: ${await answer.text()}`);
    const { id, control, urls } = await answer.json();
    const address = `${server.url.replace('http', 'ws')}/api/sessions/${id}/frames`;
    const camera = await Camera.at(address, { Authorization: `Bearer ${control}` });
    camera.stream = server.url + urls.stream;
    return camera;
  }

  /** At an address that takes pictures. */
  static async at(address, headers = {}) {
    const camera = new Camera(new WebSocket(address, { headers, perMessageDeflate: false }));
    await once(camera.#socket, 'open');
    return camera;
  }

  constructor(socket) {
    this.#socket = socket;
    // Painted pictures come back on this wire too; they must be read, or the server would wait with them.
    socket.on('message', () => {});
  }

  /** Hands one picture over and returns when that was, in ms of this process's clock. */
  show(jpeg) {
    const now = performance.now();
    this.#socket.send(jpeg);
    return now;
  }

  async stop() {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const gone = once(this.#socket, 'close');
    this.#socket.close();
    await gone;
  }
}
