"""Paints pictures as a camera would send them, over one socket: live.py "neon" FOLDER writes what FOLDER's JPEGs become
beside them, as painted-NAME. Wants the package `websockets`.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

from websockets.sync.client import connect

LIMN = os.environ.get("LIMN", "http://127.0.0.1:7860")


def ask(method, path, body=None, control=""):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {control}"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(LIMN + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or "null")


def main(prompt, folder):
    session = ask("POST", "/api/sessions", {"row": "img2img", "params": {"prompt": prompt}, "label": "live.py"})
    control, path = session["control"], f"/api/sessions/{session['id']}"
    try:
        headers = {"Authorization": f"Bearer {control}"}
        with connect(LIMN.replace("http", "ws", 1) + path + "/frames", additional_headers=headers, max_size=None) as socket:
            for picture in sorted(Path(folder).glob("*.jpg")):
                if picture.name.startswith("painted-"):
                    continue
                socket.send(picture.read_bytes())
                painted = socket.recv(60)
                if isinstance(painted, str):
                    sys.exit(f"{picture}: {json.loads(painted)['message']}")
                picture.with_name(f"painted-{picture.name}").write_bytes(painted)
        # Anything may be changed while it runs; the answer is the whole set.
        print(ask("PATCH", path + "/params", {"strength": 0.6}, control))
    finally:
        ask("DELETE", path, control=control)


if __name__ == "__main__":
    main(*sys.argv[1:])
