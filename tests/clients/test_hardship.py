"""What a stage does to a server: a link that loses packets, a viewer who is gone without a word, a clock that jumps, a disk that is full."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from email.utils import parsedate_to_datetime
from pathlib import Path

import psutil

from lossy import FILTER, LOSS, NFT, Viewer
from server import BINARY, ROOT, Server

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
DAY = 86_400


def own(*namespaces):
    """How a program begins that may do as it likes with these namespaces; a reason why not is the test's to tell."""
    command = ["unshare", "--map-root-user", *namespaces]
    tried = subprocess.run([*command, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise unittest.SkipTest(f"this machine gives no namespace: {tried.stderr.strip()}")
    return command


def until(what, holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.1)


class Hardship(unittest.TestCase):
    def test_a_third_of_the_packets_may_be_lost(self):
        tried = subprocess.run([*own("--net"), *NFT], input=FILTER + LOSS, capture_output=True, text=True)
        if tried.returncode:
            raise unittest.SkipTest(f"this kernel drops no packets: {tried.stderr.strip()}")
        script = Path(__file__).with_name("lossy.py")
        done = subprocess.run([*own("--net"), sys.executable, str(script)], cwd=ROOT, capture_output=True, text=True, timeout=360)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertIsNotNone(report["calm"], report)
        self.assertGreater(report["answered"], 0, report)
        self.assertGreater(sum(report["parts"]), 10, report)
        self.assertLess(report["cores"], 0.5, report)
        self.assertLess(report["grown"], 30, report)
        self.assertIsNotNone(report["back"], report)
        self.assertGreaterEqual(report["watched"], 4, report)
        self.assertEqual(report["panics"], 0, report)
        self.assertIsNotNone(report["gone"], report)

    def test_a_clock_may_jump(self):
        self.assertIsNotNone(FAKETIME, "setup/system.sh test installs libfaketime")
        with tempfile.TemporaryDirectory() as folder:
            offset = Path(folder, "offset")
            offset.write_text("+0")
            # Only the clock on the wall jumps; the other one of a real machine never does.
            environment = {
                **os.environ, "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(offset),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
            flags = ("--pipeline", "passthrough", "--source", "pattern:320x240@10")
            with Server(*flags, env=environment) as server:
                viewer = Viewer(server.host, "/stream.mjpeg")
                clock = lambda: parsedate_to_datetime(server.request("GET", "/health")[1]["Date"]).timestamp()
                until("pictures come", lambda: len(viewer.seen) > 5)
                session = server.get("/api/state")["sessions"][0]["id"]
                for jump in (2 * DAY, -2 * DAY, 0):
                    offset.write_text(f"{jump:+d}")
                    until("the clock has jumped", lambda: abs(clock() - jump - time.time()) < 60)
                    before = len(viewer.seen)
                    until("pictures go on", lambda: len(viewer.seen) > before + 10, 10)
                times = [when for when, _ in viewer.seen]
                self.assertLess(max(after - before for before, after in zip(times, times[1:])), 3)
                # What a picture is stamped with goes on as if nothing had happened.
                self.assertLess(max(abs(age) for _, age in viewer.seen), 3)
                state = server.get("/api/state")["sessions"]
                self.assertEqual([each["id"] for each in state], [session])
                process = psutil.Process(server.process.pid)
                self.assertEqual(server.get("/readyz")["status"], "ready")
                self.assertNotIn("ERROR", server.log())
                self.assertTrue(process.is_running())

    def test_a_disk_may_be_full(self):
        with tempfile.TemporaryDirectory() as folder:
            disk = Path(folder, "disk")
            disk.mkdir()
            script = Path(folder, "server")
            enter = " ".join(own("--mount"))
            script.write_text(f"""#!/bin/sh
exec {enter} sh -c 'mount -t tmpfs -o size=64k limn {disk} && exec "$@"' sh {BINARY} "$@"
""")
            script.chmod(0o755)
            log = ("--log", "debug", "--log-file", str(disk / "limn.log"), "--log-file-bytes", "40000", "--log-files", "3")
            with Server("--pipeline", "passthrough", "--source", "pattern:320x240@10", *log, binary=str(script)) as server:
                viewer = Viewer(server.host, "/stream.mjpeg")
                seen = Path(f"/proc/{server.process.pid}/root{disk}")
                size = lambda: sum(file.stat().st_size for file in seen.iterdir())
                written = lambda: len(server.log())

                def talk():
                    for _ in range(50):
                        session = json.loads(server.request("POST", "/api/sessions", {})[2])
                        server.request("DELETE", f"/api/sessions/{session['id']}", control=session["control"])
                    return written()

                until("more is written than there is room for", lambda: talk() > 200_000, 60)
                self.assertLessEqual(size(), 64 << 10)
                before = len(viewer.seen)
                until("pictures go on", lambda: len(viewer.seen) > before + 10)
                # A rotation cannot make room by itself if others fill the disk; once there is some, lines come again.
                for file in seen.glob("limn.log.*"):
                    file.unlink()
                talk()
                # The two write the time of a line each for itself.
                last = server.log().splitlines()[-1].split(maxsplit=1)[1]
                self.assertTrue((seen / "limn.log").read_text().endswith(last + "\n"), last)
                self.assertNotIn("panicked", server.log())


if __name__ == "__main__":
    unittest.main()
