"""ffmpeg and OpenCV show each picture when it comes, and not when the next one does."""

import statistics
import unittest

import delay
from server import Server

# A reader that waits for the next picture is late by 400 ms, or for ever; a prompt one by what a busy machine takes.
PROMPT_MS = 250


class Delay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("--pipeline", "passthrough"))

    def test_each_picture_is_shown_at_once_and_the_last_of_a_burst(self):
        for reader in delay.READERS:
            with self.subTest(reader):
                delays = delay.measure(reader, delay.door(self.server))
                self.assertLess(max(delays.each + delays.last), PROMPT_MS, delays)

    def test_on_the_wire_of_browsers_they_are_late_which_is_why_there_are_two(self):
        door = delay.door(self.server)
        door.stream += "?wire=browser"
        # The first after a burst is sent again soon, as the burst's own last picture is, and so is shown.
        self.assertGreater(statistics.median(delay.measure("opencv", door).each), PROMPT_MS)


if __name__ == "__main__":
    unittest.main()
