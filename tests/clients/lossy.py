"""Viewers and a camera on a network that drops a third of all packets, for `unshare -rn`: the namespace's own loopback, which
nobody else is on. Prints what was seen as JSON.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.error

import psutil

from camera import Camera, jpegs
from multipart import parts_of
from server import Server

FILTER = """
add table ip limn
add chain ip limn in { type filter hook input priority 0; }
"""
LOSS = "add rule ip limn in numgen random mod 3 == 0 drop"
NFT = ["/usr/sbin/nft", "-f", "-"]
CALM_SECS = 3
LOSS_SECS = 20
# A TCP that has lost much waits longer and longer before it tries again; Linux at most two minutes, after six losses on end 13 s.
BACK_SECS = 120
GONE_SECS = 60


def nft(rule):
    subprocess.run(NFT, input=rule, text=True, check=True)


class Viewer(threading.Thread):
    """Reads a stream, and keeps of each part when it came and how old its picture was then, in seconds. A link that is bad
    enough looks like none to either end; then it asks again, as players do.
    """

    def __init__(self, host, path):
        super().__init__(daemon=True)
        self.seen, self.opened = [], 0
        self._host, self._path = host, path
        self._open()
        self.start()

    def _open(self):
        connection = http.client.HTTPConnection(self._host, timeout=GONE_SECS)
        connection.request("GET", self._path)
        self.port = connection.sock.getsockname()[1]
        self.stream = connection.getresponse()
        self.opened += 1

    def run(self):
        while True:
            try:
                for head, _ in parts_of(self.stream):
                    if "x-limn-placard" not in head:
                        self.seen.append((time.monotonic(), time.time() - float(head["x-timestamp"])))
                time.sleep(0.2)
                self._open()
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)

    def since(self, start):
        return [age for when, age in self.seen if when >= start]

    def is_well(self):
        """Whether what came in the last two seconds was fresh, and as much as there should be."""
        ages = self.since(time.monotonic() - 2)
        return len(ages) >= 10 and max(ages[-10:]) < 1


def until(holds, seconds):
    """How long it took; none if it did not."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if holds():
            return round(time.monotonic() - start, 1)
        time.sleep(0.1)
    return None


def asks(server, seconds):
    """How often the server was asked whether it lives, and said so; on a connection of its own each time."""
    end, asked, answered = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        asked += 1
        try:
            answered += server.get("/health") == {"status": "ok"}
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    return asked, answered


def spent(process):
    """Seconds of processor time, with the children's."""
    every = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in every)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    nft(FILTER)
    flags = ("--pipeline", "passthrough", "--source", "pattern:320x240@10", "--grace", "120")
    with Server(*flags) as server, Camera(server.host, jpegs(), row="passthrough") as camera:
        process = psutil.Process(server.process.pid)
        viewers = [Viewer(server.host, "/stream.mjpeg") for _ in range(4)]
        # The camera's own link is as bad, and it does not ask again: of its session's viewer a few pictures are enough.
        its = Viewer(server.host, f"/api/stream/{camera.id}")
        watching = lambda: len(server.get("/api/state")["program"]["viewers"])
        calm = until(lambda: all(viewer.is_well() for viewer in (*viewers, its)), 20)
        time.sleep(CALM_SECS)
        memory, work, start = process.memory_info().rss, spent(process), time.monotonic()
        nft(LOSS)
        asked, answered = asks(server, LOSS_SECS)
        work = (spent(process) - work) / (time.monotonic() - start)
        seen = [len(viewer.since(start)) for viewer in (*viewers, its)]
        nft("flush chain ip limn in")
        back = until(lambda: all(viewer.is_well() for viewer in viewers), BACK_SECS)
        # One of them is pulled off the network without a word.
        opened = [viewer.opened for viewer in viewers]
        watched, port = watching(), viewers[0].port
        nft(f"add rule ip limn in tcp dport {port} drop\nadd rule ip limn in tcp sport {port} drop")
        gone = until(lambda: watching() == watched - 1, GONE_SECS)
        report = {
            "calm": calm, "asked": asked, "answered": answered, "cores": round(work, 3), "parts": seen, "back": back,
            "watched": watched, "gone": gone, "opened": opened,
            "grown": round((process.memory_info().rss - memory) / 1e6, 1), "panics": server.log().count("panicked"),
        }
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(main())
