"""The OpenAPI document against the server that it describes, by schemathesis: no fault of the server's, and no answer that
the document does not have. Streams without end are left to their own tests.
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from server import Server

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
ENDLESS = "(mjpeg|/events$|/frames$|/api/ws/|/api/stream/)"
# Full, not ready, no picture yet, no NDI library: the server says so, and is well.
CONFIG = """
[checks.not_a_server_error]
expected-statuses = ['2xx', '3xx', '4xx', 503]
"""
# A session that there is, for what is done to one; whoever deletes one makes up a name.
SESSION = """
[[operations]]
include-path-regex = '^/api/sessions/'
exclude-method = 'DELETE'
parameters = {{ "path.key" = '{}' }}
"""


class OpenApi(unittest.TestCase):
    def test_no_answer_is_outside_the_document(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder, "schemathesis.toml")
            flags = ("--pipeline", "passthrough", "--source", "pattern:320x180@10", "--max-sessions", "40", "--idle-timeout", "2")
            with Server(*flags) as server:
                session = server.get("/api/sessions")["sessions"][0]["id"]
                config.write_text(CONFIG + SESSION.format(session))
                command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{server.url}/api/openapi.json"]
                limits = ["--max-examples", "15", "--seed", "1", "--request-timeout", "10", "--no-shrink", "--phases", "examples,coverage,fuzzing"]
                chosen = ["--checks", CHECKS, "--exclude-path-regex", ENDLESS, "--warnings", "off"]
                ran = subprocess.run(command + limits + chosen, cwd=folder, capture_output=True, text=True, timeout=300)
                self.assertEqual(ran.returncode, 0, ran.stdout[-6000:] + ran.stderr[-2000:])
                self.assertEqual(server.get("/health"), {"status": "ok"})


if __name__ == "__main__":
    unittest.main()
