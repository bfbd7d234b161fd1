"""The server under test: started on a free port of the loopback, stopped by its own process id."""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("LIMN_SERVER", str(ROOT / "target/release/server"))
# Loading the first pipeline and painting one frame, on a busy machine.
READY_SECS = 60


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


class Server:
    """One process of the server; a context manager."""

    def __init__(self, *args, binary=BINARY, cwd=ROOT, env=None):
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [binary, "--port", str(self.port), *args], cwd=cwd, env=env, stdout=self._log, stderr=subprocess.STDOUT
        )

    def __enter__(self):
        end = time.monotonic() + READY_SECS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.get("/readyz")
                return self
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        log = self.log()
        self.stop()
        raise RuntimeError(f"{self.process.args[0]} did not become ready:\n{log}")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it as an operator does; one that has not gone after 10 s is killed, and that is an error."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._log.close()

    def log(self):
        """What it has written."""
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def request(self, method, path, body=None, control=None):
        """The answer's status, headers and bytes; an error's too."""
        headers = {"Content-Type": "application/json"}
        if control:
            headers["Authorization"] = f"Bearer {control}"
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def get(self, path):
        """The JSON at `path`."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)
