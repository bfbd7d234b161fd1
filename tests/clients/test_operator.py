"""What an operator relies on, from outside: secrets stay secret, keys are read again, bombs and rubble change nothing."""

import io
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.request
import zlib
from pathlib import Path

import psutil

from camera import jpegs
from server import BINARY, ROOT, Server

CANARY = "canary-5c1f"
KEY = "limn_canary-key-77aa"


def until(what, holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.1)


def png(width, height):
    """A PNG that promises so many pixels and has none."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")


def bomb(jpeg):
    """A JPEG whose header promises 65,500 x 65,500 pixels."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", 65_500, 65_500) + jpeg[at + 9 :]


class Secrets(unittest.TestCase):
    def test_no_answer_and_no_line_has_a_password_or_a_key(self):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "limn.log")
            flags = ("--pipeline", "passthrough", "--log", "debug", "--log-file", str(log), "--max-sessions", "0")
            source = ("--source", f"rtsp://me:{CANARY}@127.0.0.1:9/{CANARY}?pwd={CANARY}")
            environment = {**os.environ, "LIMN_KEYS": f"operator {KEY}; signing 00112233445566778899aabbccddeeff"}
            with Server(*flags, *source, env=environment) as server:
                heard = []
                ask = lambda method, path, body=None, key=KEY: heard.append(server.request(method, path, body, key))
                ask("POST", "/api/sessions", {"source": f"http://me:{CANARY}@127.0.0.1:9/cam?user=me&pwd={CANARY}"})
                ask("POST", "/api/sessions", {"source": f"gopher://me:{CANARY}@host"})
                ask("POST", "/api/login", {"key": KEY + "x"})
                session = json.loads(heard[0][2])["id"]
                time.sleep(1)
                document = json.loads(server.request("GET", "/api/openapi.json", None, KEY)[2])
                for path, methods in document["paths"].items():
                    endless = re.search(r"mjpeg|events$|frames$|/api/ws/|/api/stream/", path)
                    if "get" in methods and not endless:
                        ask("GET", path.replace("{key}", session))
                        ask("GET", path.replace("{key}", session), key=KEY + "x")
                ask("GET", "/api/sessions/nonesuch")
                self.assertGreater(len(heard), 20)
                self.assertIn(200, [status for status, _, _ in heard])
                for status, headers, body in heard:
                    said = f"{headers} {body.decode(errors='replace')}"
                    self.assertNotIn(CANARY, said)
                    self.assertNotIn(KEY, said)
                lines = server.log() + log.read_text()
                self.assertIn("127.0.0.1:9", lines)
                self.assertNotIn(CANARY, lines)
                self.assertNotIn(KEY, lines)

    def test_keys_and_log_level_are_read_again(self):
        with tempfile.TemporaryDirectory() as folder:
            keys, config = Path(folder, "keys"), Path(folder, "limn.toml")
            config.write_text('log = "warn"\n')
            new = lambda: subprocess.run([BINARY, "key", "new", "--right", "operator", "--auth", str(keys)], capture_output=True, text=True, check=True)
            first = new().stdout.strip()
            with Server("--pipeline", "passthrough", "--auth", str(keys), "--config", str(config)) as server:
                status = lambda key: server.request("GET", "/api/sessions", None, key)[0]
                second = new().stdout.strip()
                self.assertEqual((status(first), status(second), status("")), (200, 401 + 2, 401))
                self.assertNotIn("INFO", server.log())
                config.write_text('log = "info"\n')
                server.process.send_signal(signal.SIGHUP)
                until("the second key opens", lambda: status(second) == 200)
                until("lines of level info", lambda: "INFO" in server.log())
                kept = [line for line in keys.read_text().splitlines() if not line.startswith("operator")]
                keys.write_text("\n".join(kept) + "\noperator broken sha256:\n")
                keys.write_text("\n".join(kept))
                server.process.send_signal(signal.SIGHUP)
                until("neither opens", lambda: status(first) == 403 and status(second) == 403)
                keys.write_text("nonsense\n")
                server.process.send_signal(signal.SIGHUP)
                until("the fault is told", lambda: "the keys stay as they were" in server.log())
                self.assertEqual(status(first), 403)

    def test_the_devices_process_writes_into_the_same_log(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "limn.log")
            flags = ("--pipeline", "img2img", "--log", "info", "--log-format", "json", "--log-file", str(path))
            with Server(*flags) as server:
                device = psutil.Process(server.process.pid).children()[0]
                # Whatever else it writes must not break who reads objects.
                device.send_signal(signal.SIGABRT)
                ready = lambda: [line for line in path.read_text().splitlines() if "`img2img` is ready" in line]
                until("it is ready again", lambda: len(ready()) == 2)
                used = lambda: re.search(r"^limn_device_memory_used_bytes (\d+)", server.request("GET", "/metrics")[2].decode(), re.M)
                until("its memory is known", used)
                self.assertGreater(int(used()[1]), 20_000_000)
                for lines in (server.log(), path.read_text()):
                    said = [json.loads(line)["fields"]["message"] for line in lines.splitlines()]
                    self.assertEqual(len([one for one in said if "is ready" in one]), 2, said)
                    self.assertEqual(len([one for one in said if "process is gone" in one]), 1, said)
                path.rename(Path(folder, "limn.log.old"))
                server.process.send_signal(signal.SIGHUP)
                until("the file is there again", lambda: path.exists() and "log level read again" in path.read_text())

    def test_a_signed_address_is_made_on_the_command_line(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = Path(folder, "keys")
            with Server("--pipeline", "passthrough", "--auth", str(keys), "--source", "pattern:320x180@10") as server:
                sign = [BINARY, "url", "sign", "--auth", str(keys), "--base", server.url]
                page, stream = subprocess.run(sign, capture_output=True, text=True, check=True).stdout.split()
                self.assertIn("/watch/program?sign=viewer.program.", page)
                snapshot = stream.replace("stream.mjpeg", "snapshot.jpg")
                with urllib.request.urlopen(snapshot, timeout=10) as answer:
                    self.assertEqual(answer.headers["Content-Type"], "image/jpeg")
                past = subprocess.run([*sign, "--hours", "0"], capture_output=True, text=True)
                self.assertNotEqual(past.returncode, 0)
                self.assertIn("hours", past.stderr)


class Rubble(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("--pipeline", "passthrough", "--max-sessions", "0", "--idle-timeout", "0"))

    def begin(self, **body):
        status, _, answer = self.server.request("POST", "/api/sessions", body)
        self.assertEqual(status, 201, answer)
        return json.loads(answer)

    def resident(self):
        return psutil.Process(self.server.process.pid).memory_info().rss

    def test_bombs_are_refused_before_they_are_decoded(self):
        session = self.begin()
        path = f"/api/sessions/{session['id']}/frame"
        state = lambda: self.server.get(f"/api/sessions/{session['id']}")["stats"]
        self.server.request("POST", path, jpegs()[0], session["control"])
        until("a picture is painted", lambda: state()["painted"] == 1)
        before = self.resident()
        for picture in (png(60_000, 60_000), bomb(jpegs()[0]), png(4_000_000_000, 1)):
            for _ in range(5):
                self.server.request("POST", path, picture, session["control"])
                time.sleep(0.1)
        until("they are refused", lambda: state()["refused"] >= 3)
        self.assertEqual(state()["painted"], 1)
        self.assertLess(self.resident() - before, 32 << 20)

    def test_labels_and_prompts_are_words_wherever_they_stand(self):
        evil = "x\r\nX-Evil: 1\r\n\r\n<script>alert(1)</script>\"'"
        status, _, body = self.server.request("POST", "/api/sessions", {"label": evil})
        self.assertEqual((status, json.loads(body)["error"]["code"]), (422, "bad_label"))
        line = evil.replace("\r\n", " ")
        session = self.begin(label=line, row="img2img", params={"prompt": evil})
        for path in ("/api/state", "/api/sessions", f"/api/sessions/{session['id']}", "/api/docs", "/api/osc", "/api/settings", "/metrics"):
            status, headers, body = self.server.request("GET", path)
            self.assertEqual(status, 200, path)
            self.assertNotIn("X-Evil", dict(headers))
            if "html" in headers["Content-Type"]:
                self.assertNotIn(b"<script>alert", body)
        for path in ("/api/sessions/%0d%0aX-Evil:1", "/api/sessions/%3Cscript%3E", "/%0d%0aX-Evil:%201"):
            status, headers, body = self.server.request("GET", path)
            self.assertEqual(status, 404, path)
            self.assertNotIn("X-Evil", dict(headers))
            self.assertEqual(headers["Content-Type"], "application/json")

    def test_nothing_reads_files_or_runs_programs(self):
        for source in ("exec:ls", "concat:/etc/hostname|/etc/hosts", "pipe:0", "subfile,,start,0,end,9,,:/etc/hosts", "data:text/plain,x", "file:///etc/nonesuch", "ffmpeg:x", "echo:x", "http:/x"):
            status, _, body = self.server.request("POST", "/api/sessions", {"source": source})
            self.assertEqual((status, json.loads(body)["error"]["code"]), (422, "bad_source"), source)
        for row in ("../../etc/passwd", "/etc/passwd", "%2e%2e", "embedded/../.."):
            status, _, body = self.server.request("POST", "/api/sessions", {"row": row})
            self.assertEqual((status, json.loads(body)["error"]["code"]), (422, "unknown_pipeline"), row)
        for path in ("/..%2f..%2fCargo.toml", "/assets/../../Cargo.toml", "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/watch/../../etc/passwd"):
            status, _, body = self.server.request("GET", path)
            self.assertNotIn(b"root:", body)
            self.assertNotIn(b"[package]", body)
        for method, path in (("POST", "/api/config"), ("PUT", "/api/settings"), ("PATCH", "/api/pipelines"), ("POST", "/api/restart"), ("POST", "/api/exec")):
            self.assertIn(self.server.request(method, path, {"x": 1})[0], (404, 405), path)

    def test_nine_thousand_silent_connections_are_let_go(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        count = min(9_000, most - 500)
        self.assertGreater(count, 400, "this machine allows too few open files to try it")
        before = self.resident()
        idle = []
        try:
            for _ in range(count):
                sock = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
                idle.append(sock)
            start = time.monotonic()
            self.assertEqual(self.server.get("/health"), {"status": "ok"})
            self.assertLess(time.monotonic() - start, 5)
            process = psutil.Process(self.server.process.pid)
            until("they are let go", lambda: process.num_fds() < 500, 60)
            self.assertLess(self.resident() - before, 200 << 20)
        finally:
            [sock.close() for sock in idle]
        self.assertEqual(self.server.get("/health"), {"status": "ok"})


class Want(unittest.TestCase):
    def test_without_file_handles_it_waits_and_does_not_spin(self):
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
        port = socket.create_server(("127.0.0.1", 0))
        number = port.getsockname()[1]
        port.close()
        command = [BINARY, "--port", str(number), "--pipeline", "passthrough", "--keep-alive", "2"]
        with subprocess.Popen(command, cwd=ROOT, preexec_fn=few, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                ask = lambda: urllib.request.urlopen(f"http://127.0.0.1:{number}/health", timeout=5).read()

                def answers():
                    try:
                        return b"ok" in ask()
                    except OSError:
                        return False

                until("it listens", answers)
                held = [socket.create_connection(("127.0.0.1", number), timeout=5) for _ in range(120)]
                watched = psutil.Process(process.pid)
                used = watched.cpu_times()
                time.sleep(3)
                now = watched.cpu_times()
                self.assertLess(now.user + now.system - used.user - used.system, 1.0)
                self.assertIsNone(process.poll())
                [sock.close() for sock in held]
                until("it answers again", answers)
            finally:
                process.terminate()
                process.wait(20)

    def test_the_doctor_says_what_is_missing(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            run = lambda *flags: subprocess.run([BINARY, *flags, "doctor"], cwd=ROOT, capture_output=True, text=True)
            ill = run("--port", port)
            self.assertNotEqual(ill.returncode, 0)
            self.assertRegex(ill.stdout, r"!!  port .*\n.*--port")
        well = run("--port", "0")
        self.assertEqual(well.returncode, 0, well.stdout + well.stderr)
        unsafe = run("--port", "0", "--safety-checker=/nonexistent")
        self.assertNotEqual(unsafe.returncode, 0)
        self.assertRegex(unsafe.stdout, r"!!  safety .*nonexistent")
        for line in (r"ok  device .*cpu", r"ok  safety", r"ok  weights .*img2img", r"(ok|--)  ffmpeg", r"(ok|--)  ndi"):
            self.assertRegex(well.stdout, line)


if __name__ == "__main__":
    unittest.main()
