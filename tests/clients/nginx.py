"""nginx before the server, as Debian configures it: what is set here and not there is where its files are, and the proxy."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from server import free_port

READY_SECS = 10

# What stands uncommented in Debian 12's /etc/nginx/nginx.conf and sites-available/default, without TLS; then our one line.
# Its files would be in folders that only root may write.
CONFIGURATION = """
worker_processes auto;
daemon off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 768; }}
http {{
    access_log access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    gzip on;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {upstream}; }}
    }}
}}
"""


class Nginx:
    """One process of nginx before `upstream`, which is a URL; a context manager."""

    def __init__(self, upstream):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = tempfile.TemporaryDirectory(prefix="limn-nginx-")
        folder = Path(self._folder.name)
        (folder / "nginx.conf").write_text(CONFIGURATION.format(port=self.port, upstream=upstream))
        # Where Debian puts it is not on everybody's path.
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        command = [program, "-p", folder, "-c", "nginx.conf", "-e", "error.log"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def __enter__(self):
        end = time.monotonic() + READY_SECS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except ConnectionError:
                time.sleep(0.05)
        log = (Path(self._folder.name) / "error.log").read_text()
        self.__exit__()
        raise RuntimeError(f"nginx did not become ready:\n{log}")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()
