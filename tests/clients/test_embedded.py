"""The small checkpoint that ships: it paints out of one file, and it paints what words say."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np

import embedded
import measures
import server
from embedded import HELD_OUT, Copy, Painter, from_words, photographs, share, styled
from server import Server
from styles import STYLES, target


class OneFile(unittest.TestCase):
    def test_the_binary_alone_paints_from_an_empty_folder(self):
        libraries = os.environ.get("LIBTORCH", str(server.ROOT / ".libtorch/torch"))
        with tempfile.TemporaryDirectory() as folder:
            binary = Path(folder, "server")
            shutil.copy(server.BINARY, binary)
            environment = {
                "PATH": os.environ["PATH"], "HOME": folder, "HF_HOME": folder,
                "LD_LIBRARY_PATH": f"{libraries}/lib:{os.environ.get('LD_LIBRARY_PATH', '')}",
            }  # fmt: skip
            with Server("--pipeline", "img2img", binary=binary, cwd=folder, env=environment) as alone:
                ready, said = alone.get("/readyz"), alone.log()
        self.assertEqual(ready["status"], "ready", said)
        self.assertIn("the small embedded checkpoint; `--model stabilityai/sd-turbo` paints with the large one", said)


class Meaning(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        running = cls.enterClassContext(Server(*embedded.SERVER, "--pipeline", "img2img"))
        cls.painter, cls.copy = Painter(running), Copy()
        views = photographs()
        cls.views = {name: views[name] for name in HELD_OUT}

    def colour(self, prompt, view="chelsea"):
        """The mean of a picture in Lab: light, red against green, yellow against blue."""
        return measures.lab(self.painter.paint("img2img", self.views[view], prompt=prompt)).mean((0, 1))

    def test_neon_is_dark_with_bright_edges(self):
        for view, picture in self.views.items():
            made = measures.grey(self.painter.paint("img2img", picture, prompt="neon"))
            near_edges = cv2.dilate(measures.edges(picture), np.ones((5, 5), np.uint8)) > 0
            far_from_edges = cv2.dilate(measures.edges(picture), np.ones((25, 25), np.uint8)) == 0
            self.assertLess(np.median(made[far_from_edges]), 90, view)
            self.assertGreater(made[near_edges].mean(), 1.5 * made[far_from_edges].mean(), view)

    def test_sunset_is_warm_and_ice_is_cold(self):
        for view in self.views:
            warm, cold = self.colour("sunset", view), self.colour("ice", view)
            self.assertGreater(warm[1], 15, view)
            self.assertGreater(warm[2], 10, view)
            self.assertLess(cold[2], -10, view)

    def test_synonyms_mean_the_same_and_two_styles_mix(self):
        for style, word in (("watercolour", "aquarelle"), ("vintage", "sepia"), ("ice", "frozen"), ("thermal", "heat map")):
            apart = np.linalg.norm(self.colour(style) - self.colour(word))
            self.assertLess(apart, 8, f"{style} and {word}")
        for pair in (["oil painting", "night vision"], ["mosaic", "thermal"], ["pencil sketch", "vintage"]):
            for view, picture in self.views.items():
                mixed = self.painter.paint("img2img", picture, prompt=", ".join(pair))
                nearness = measures.distance(mixed, target(picture, pair))
                self.assertLess(nearness, measures.distance(mixed, picture), f"{pair} of {view}")

    def test_every_style_is_itself_with_its_detail_and_its_edges(self):
        lines = styled(self.painter, self.copy, self.views, "img2img")
        wrong = [line for line in lines if not line["right"]]
        self.assertGreaterEqual(len(STYLES), 12)
        # 0.98 of them are, as it ships; another processor rounds differently.
        self.assertGreaterEqual(share(lines, "right"), 0.91, wrong)
        self.assertGreaterEqual(share(lines, "nearest"), 0.95, wrong)

    def test_no_words_leave_the_picture_nearly_as_it_was(self):
        for view, picture in self.views.items():
            made = self.painter.paint("img2img", picture, prompt="")
            self.assertGreaterEqual(measures.ssim(made, self.copy.of(picture)), 0.8, view)

    def test_seed_and_strength_do_what_they_say(self):
        picture = self.views["astronaut"]
        seeds = [self.painter.paint("img2img", picture, prompt="oil painting", strength=0.7, seed=seed) for seed in (1, 2)]
        self.assertGreaterEqual(np.abs(seeds[0] - seeds[1]).mean() * 255, 2)
        away = [
            np.mean([np.abs(self.painter.paint("img2img", p, prompt="", strength=strength) - p).mean() for p in self.views.values()])
            for strength in (0.2, 0.4, 0.6, 0.8)
        ]
        self.assertEqual(away, sorted(away))

    def test_controlnet_keeps_to_the_edges_and_its_scale_shows(self):
        lines = styled(self.painter, self.copy, {"coffee": self.views["coffee"]}, "controlnet", strength=1.0)
        self.assertGreaterEqual(np.mean([line["edges"] for line in lines]), 0.6, lines)
        held, free = (
            self.painter.paint("controlnet", self.views["coffee"], prompt="blueprint", strength=1.0, controlnet_scale=scale) for scale in (1.0, 0.0)
        )
        self.assertGreater(np.abs(held - free).mean() * 255, 5)

    def test_words_alone_paint_the_shapes_patterns_and_scenes_that_they_name(self):
        rows = from_words(self.painter)
        wrong = [(prompt, found) for prompt, found, right in rows if not all(right)]
        self.assertGreaterEqual(len(rows) - len(wrong), 16, wrong)


if __name__ == "__main__":
    unittest.main()
