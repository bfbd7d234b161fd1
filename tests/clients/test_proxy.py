"""Behind nginx as Debian configures it, which holds back what a server does not ask it to pass on, nothing comes later."""

import statistics
import unittest

import delay
from nginx import Nginx
from server import Server

# Milliseconds over a reader that goes to the server directly, at the median; a hop over the loopback takes less than one.
P50_OVER_MS = 20
# What nginx holds back comes with the next picture, 400 ms later.
PROMPT_MS = 250


class Proxy(unittest.TestCase):
    def test_pictures_come_through_nginx_undelayed(self):
        with Server("--pipeline", "passthrough") as server, Nginx(server.url) as nginx:
            direct = delay.measure("opencv", delay.door(server))
            door = delay.door(server)
            door.stream = door.stream.replace(server.url, nginx.url)
            behind = delay.measure("opencv", door)
        over = statistics.median(behind.each) - statistics.median(direct.each)
        self.assertLess(over, P50_OVER_MS, (direct, behind))
        self.assertLess(max(behind.each + behind.last), PROMPT_MS, behind)

    def test_they_would_not_if_the_server_did_not_ask_for_it(self):
        with delay.echo("last") as door, Nginx(door.stream.rstrip("/")) as nginx:
            door.stream = nginx.url
            self.assertGreater(min(delay.measure("opencv", door).each), PROMPT_MS)


if __name__ == "__main__":
    unittest.main()
