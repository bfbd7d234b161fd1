"""The clients in examples/, as they stand, against the release server."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from PIL import Image

from camera import jpegs
from server import ROOT, Server

EXAMPLES = ROOT / "examples"


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        flags = ("--model", "embedded", "--pipeline", "img2img", "--source", "pattern:256x256@20")
        cls.server = cls.enterClassContext(Server(*flags))
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def setUp(self):
        for old in self.folder.iterdir():
            old.unlink()
        for number, jpeg in enumerate(jpegs()[:3]):
            (self.folder / f"{number}.jpg").write_bytes(jpeg)

    def run_example(self, *command):
        environment = {**os.environ, "LIMN": self.server.url}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def size(self, name):
        with Image.open(self.folder / name) as picture:
            return picture.size

    def test_curl_paints_one_picture(self):
        self.run_example(str(EXAMPLES / "paint.sh"), "0.jpg", "neon", "neon.jpg")
        self.assertEqual(self.size("neon.jpg"), (256, 256))

    def test_curl_says_what_was_refused(self):
        (self.folder / "notes.txt").write_text("no picture")
        script = str(EXAMPLES / "paint.sh")
        done = subprocess.run([script, "notes.txt", "neon", "out.json"], cwd=self.folder, env={**os.environ, "LIMN": self.server.url}, capture_output=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("bad_picture", (self.folder / "out.json").read_text())

    def test_python_paints_a_folder(self):
        said = self.run_example(sys.executable, str(EXAMPLES / "live.py"), "ink", ".")
        self.assertIn("'strength': 0.6", said)
        self.assertEqual([self.size(f"painted-{number}.jpg") for number in range(3)], [(256, 256)] * 3)

    def test_rust_paints_a_folder(self):
        cargo = ["cargo", "run", "--quiet", "--locked", "--manifest-path", str(ROOT / "Cargo.toml"), "--no-default-features", "--package", "limn-examples"]
        said = self.run_example(*cargo, "--example", "live", "--", "ink", ".")
        self.assertIn('"strength":0.6', said)
        self.assertEqual([self.size(f"painted-{number}.jpg") for number in range(3)], [(256, 256)] * 3)

    def test_node_watches_the_program(self):
        said = self.run_example("node", str(EXAMPLES / "watch.mjs"), f"{self.server.url}/stream.mjpeg", "3")
        self.assertEqual(said.count("ms old"), 3)
        self.assertEqual(self.size("picture-2.jpg"), (256, 256))


if __name__ == "__main__":
    unittest.main()
