"""A camera on the wire of the Real-Time Latent Consistency Model server: what its page sends, sent by `websockets`.

`camera.py HOST:PORT ROW` plays the clip until it is ended, with nobody watching but the server.
"""

import json
import sys
import threading
import time
import uuid
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def jpegs():
    """The clip's pictures as JPEG."""
    data = (Path(__file__).resolve().parents[2] / ".fixtures/clip.mjpeg").read_bytes()
    return [b"\xff\xd8\xff" + part for part in data.split(b"\xff\xd8\xff")[1:]]


class Camera:
    """Answers each `send_frame` with parameters and the clip's next picture, in a thread, until left."""

    def __init__(self, host, pictures, params=None, row=None):
        self.id = str(uuid.uuid4())
        self.stream = f"http://{host}/api/stream/{self.id}"
        self.params = params or {}
        self.said = []
        query = f"?row={row}" if row else ""
        self._connection = connect(f"ws://{host}/api/ws/{self.id}{query}", max_size=None)
        self._pictures = pictures
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self):
        self._socket = self._connection.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._connection.__exit__(None, None, None)
        self._thread.join(5)

    def _play(self):
        sent = 0
        try:
            for message in self._socket:
                said = json.loads(message)
                self.said.append(said)
                if said["status"] != "send_frame":
                    continue
                self._socket.send('{"status":"next_frame"}')
                self._socket.send(json.dumps(self.params))
                self._socket.send(self._pictures[sent % len(self._pictures)])
                sent += 1
        except ConnectionClosed:
            pass


if __name__ == "__main__":
    with Camera(sys.argv[1], jpegs(), row=sys.argv[2]):
        while True:
            time.sleep(1)
