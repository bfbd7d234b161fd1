"""NDI out and in: the program, received by programs that nobody here wrote, and sources that the server receives."""

import json
import os
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
from pathlib import Path

import numpy as np
import psutil

from multipart import pictures
from receivers import HERE, PATIENCE, RUNTIME, Finder, Receiver, age_ms, configured
from server import Server

SIZE = (640, 360)
PARAMS = {"width": SIZE[0], "height": SIZE[1]}
CAMERA = ("--source", "pattern:640x360@30", "--source-params", json.dumps(PARAMS))
PROGRAM = ("--pipeline", "passthrough", "--max-sessions", "0", "--program", "640x360@30", "--ndi", "Limn test")


def begin(server, source, **more):
    """A session that reads `source`; its key."""
    status, _, body = server.request("POST", "/api/sessions", {"source": source, "params": PARAMS, **more})
    assert status == 201, body
    return json.loads(body)["id"]


def cut(server, session):
    assert server.request("PUT", "/api/program", {"session": session})[0] == 200


def until(what, said, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (seen := what()):
        assert time.monotonic() < end, said
        time.sleep(0.05)
    return seen


class Watch:
    """Receives in a thread: when each picture came, and the rate that its sender claims."""

    def __init__(self, receiver):
        self.receiver, self.times, self.rate = receiver, [], None
        self.dropped = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        until(lambda: self.times, "a first picture")
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(5)

    def _run(self):
        while not self._over.is_set():
            _, self.rate = self.receiver.picture()
            self.times.append(time.monotonic())
            self.dropped |= not self.receiver.connected()

    def longest_gap(self):
        return float(np.diff(self.times).max())


class Program(unittest.TestCase):
    def test_a_receiver_sees_the_program_move_in_its_colours(self):
        flags = ("--pipeline", "passthrough", "--source", "pattern:512x512@25", "--program", "512x512@25", "--ndi", "Limn test")
        with Server(*flags, env=RUNTIME) as running, Receiver("Limn test") as receiver:
            # Bars at three quarters: white is 191, yellow has no blue.
            first, rate = receiver.picture()
            self.assertEqual(first.shape, (512, 512, 3))
            self.assertEqual(rate, 25)
            end, seen = time.monotonic() + PATIENCE, 0
            while seen < 10:
                self.assertLess(time.monotonic(), end)
                picture, _ = receiver.picture()
                seen += int(np.abs(picture.astype(int) - first).mean() > 0.05)
            bars = picture[200].astype(int)
            self.assertTrue(((np.abs(bars - [191, 191, 0]) < 24).all(1)).any(), "a yellow bar")
            self.assertTrue(((np.abs(bars - [0, 0, 191]) < 24).all(1)).any(), "a blue bar")
            state = running.get("/api/program")["ndi"]
            self.assertEqual((state["name"], state["state"]), ("Limn test", "sending"))
            self.assertGreaterEqual(state["receivers"], 1)

    def test_the_rate_is_true_and_cuts_between_four_cameras_leave_no_gap(self):
        with Server(*PROGRAM, env=RUNTIME) as running:
            cameras = [begin(running, f"pattern:640x360@{fps}") for fps in (30, 25, 15, 29)]
            cut(running, cameras[0])
            with Receiver("Limn test") as receiver, Watch(receiver) as watch:
                start, count = time.monotonic(), len(watch.times)
                for turn in range(20):
                    cut(running, cameras[turn % 4])
                    time.sleep(1)
                rate = (len(watch.times) - count) / (time.monotonic() - start)
                self.assertEqual(watch.rate, 30)
                self.assertAlmostEqual(rate, 30, delta=0.5)
                # The one on air ends: another takes its place, and when none is left, a placard does.
                for camera in cameras:
                    running.request("DELETE", f"/api/sessions/{camera}")
                until(lambda: running.get("/api/program")["session"] is None, "nobody on air")
                before = len(watch.times)
                time.sleep(2)
                self.assertGreater(len(watch.times) - before, 50, "the placard is sent at the program's rate")
                self.assertLess(watch.longest_gap(), 0.5)
                self.assertFalse(watch.dropped, "the connection stood through it all")

    def test_tally_comes_back(self):
        with Server(*PROGRAM, *CAMERA, env=RUNTIME) as running, Receiver("Limn test") as receiver:
            receiver.picture()
            tally = lambda: running.get("/api/program")["ndi"]["tally"]
            self.assertEqual(tally(), {"program": False, "preview": False})
            receiver.tell(preview=True)
            until(lambda: tally() == {"program": False, "preview": True}, f"preview: {tally()}")
            receiver.tell(program=True)
            until(lambda: tally()["program"], f"program: {tally()}")

    def test_another_receiver_cyndilib_sees_it_too(self):
        # A process of its own: it brings another copy of the library.
        with Server(*PROGRAM, *CAMERA, env=RUNTIME):
            environment = {**os.environ, "NDI_CONFIG_DIR": str(configured())}
            script = Path(__file__).with_name("cyndilib_receiver.py")
            seen = subprocess.run(
                [sys.executable, str(script), "Limn test", "60"], env=environment, capture_output=True, text=True, timeout=60
            )
            self.assertEqual(seen.returncode, 0, seen.stderr)
            self.assertEqual(json.loads(seen.stdout), {"size": list(SIZE), "fps": 30, "pictures": 60})

    def test_viewers_and_sessions_come_and_go_and_receivers_notice_nothing(self):
        with Server(*PROGRAM, "--ndi-sessions", *CAMERA, env=RUNTIME) as running:
            process = psutil.Process(running.process.pid)
            sender = running.get("/api/program")["ndi"]["name"]
            running.request("PUT", "/api/program", {"session": running.get("/api/sessions")["sessions"][0]["id"]})

            def come_and_go(times):
                for _ in range(times):
                    key = begin(running, "pattern:320x180@10")
                    with urllib.request.urlopen(f"{running.url}/stream.mjpeg", timeout=10) as stream:
                        stream.read(2000)
                    running.request("DELETE", f"/api/sessions/{key}")

            with Receiver(sender) as receiver, Watch(receiver) as watch, Finder() as finder:
                come_and_go(20)
                time.sleep(1)
                threads, before = process.num_threads(), process.memory_info().rss
                come_and_go(200)
                until(lambda: process.num_threads() <= threads + 1, "threads go with their sessions")
                grown = (process.memory_info().rss - before) / 1e6
                self.assertLess(grown, 20, "MB")
                self.assertLess(watch.longest_gap(), 0.5)
                self.assertFalse(watch.dropped)
                finder.find(sender)
                self.assertEqual(finder.names().count(sender), 1)
                print(f"\n200 sessions and viewers: {grown:+.1f} MB, longest gap {watch.longest_gap() * 1000:.0f} ms")

    def test_without_the_library_one_line_says_so_and_all_else_works(self):
        nowhere = {**os.environ, "NDI_RUNTIME_DIR_V6": "/nonexistent"}
        with Server("--pipeline", "passthrough", "--source", "pattern:", "--ndi", "Limn test", env=nowhere) as running:
            self.assertEqual(running.get("/api/program")["ndi"]["state"], "unavailable")
            self.assertIn("the NDI library is not installed", running.log())
            status, _, _ = running.request("GET", "/snapshot.jpg")
            self.assertEqual(status, 200)
            status, _, body = running.request("GET", "/api/sources/ndi")
            self.assertEqual((status, json.loads(body)["error"]["code"]), (503, "ndi_unavailable"))
        with self.assertRaisesRegex(RuntimeError, "NDI library is not installed"):
            Server("--pipeline", "passthrough", "--require-ndi", env=nowhere).__enter__()


class Sessions(unittest.TestCase):
    def test_each_is_a_source_called_as_its_user_calls_it(self):
        with Server(*PROGRAM, "--ndi-sessions", env=RUNTIME) as running, Finder() as finder:
            left = begin(running, "pattern:640x360@30", label="left")
            begin(running, "pattern:640x360@25", label="left")
            finder.find("Limn test (left)")
            finder.find("Limn test (left 2)")
            with Receiver("Limn test (left)") as receiver:
                self.assertEqual(receiver.picture()[0].shape, (SIZE[1], SIZE[0], 3))
            status, _, _ = running.request("PATCH", f"/api/sessions/{left}", {"label": "stage"})
            self.assertEqual(status, 200)
            finder.find("Limn test (stage)")
            until(lambda: "Limn test (left)" not in finder.names(), "the old name goes")
            self.assertEqual(running.get(f"/api/sessions/{left}")["ndi"]["name"], "Limn test (stage)")


class Sources(unittest.TestCase):
    def test_one_server_reads_another_and_waits_for_its_return(self):
        camera = lambda: Server(*PROGRAM, *CAMERA, env=RUNTIME)
        flags = ("--pipeline", "passthrough", "--ndi-extra-ips", HERE, "--max-sessions", "0")
        with Server(*flags, env=RUNTIME) as reader:
            key = begin(reader, "ndi:Limn test")
            state = lambda: reader.get("/api/sources")["sources"][0]["state"]
            until(lambda: state() == "reconnecting", "nobody sends it yet")
            for _ in range(2):
                # The name stays, the process and its port do not.
                with camera() as running:
                    until(lambda: state() == "running", "it comes back by itself")
                    names = [found["name"] for found in reader.get("/api/sources/ndi")["sources"]]
                    self.assertTrue(any(name.endswith("(Limn test)") for name in names), names)
                    ages = [age_ms(picture) for picture in pictures(f"{reader.url}/api/sessions/{key}/stream.mjpeg", 60)]
                    print(f"\nLimn to Limn by NDI: p50 {np.median(ages):.0f} ms, at most {max(ages)}")
                    self.assertLess(np.median(ages), 200)
                    running.process.kill()
                    until(lambda: state() == "reconnecting", "its death is noticed", 5)


if __name__ == "__main__":
    unittest.main()
