"""What playing costs: two cameras paint as fast as they can, and now and then a thousand changes in ten seconds come from
both: a cross-fade between two prompts. Runs in turns without and with that storm; prints painted pictures a second and the
ratio of the medians.

    storm.py [--pairs 5] [--seconds 10]
"""

import argparse
import json
import statistics
import threading
import time

from websockets.sync.client import connect

from camera import jpegs
from server import Server

CHANGES_A_SECOND = 50
SERVER = ("--model", "embedded", "--pipeline", "img2img", "--max-sessions", "0")
PROMPTS = {"prompt": "neon", "prompt_b": "watercolour"}


class Painter:
    """A session that gets its next picture as soon as the last was painted."""

    def __init__(self, server):
        self.server = server
        session = json.loads(server.request("POST", "/api/sessions", {"params": PROMPTS})[2])
        self.path, self.control = f"/api/sessions/{session['id']}", session["control"]
        self.over = threading.Event()
        threading.Thread(target=self._paint, daemon=True).start()

    def _paint(self):
        headers = {"Authorization": f"Bearer {self.control}"}
        with connect(f"ws://{self.server.host}{self.path}/frames", additional_headers=headers, max_size=None) as socket:
            pictures = jpegs()
            sent = 0
            while not self.over.is_set():
                socket.send(pictures[sent % len(pictures)])
                socket.recv(30)
                sent += 1

    def painted(self):
        """How much the server has painted of it; a change has the last picture painted anew."""
        return self.server.get(self.path)["stats"]["painted"]

    def storm(self, seconds):
        """Changes the blend so often, from its end to its beginning and back."""
        start, changes = time.monotonic(), 0
        while (elapsed := time.monotonic() - start) < seconds:
            status, _, _ = self.server.request("PATCH", self.path + "/params", {"blend": changes % 100 / 100}, self.control)
            assert status == 200
            changes += 1
            time.sleep(max(0, changes / CHANGES_A_SECOND - elapsed))
        return changes


def rate(painters, seconds, stormy):
    """Pictures a second of both, and how many changes came meanwhile."""
    before, start, counts = sum(p.painted() for p in painters), time.monotonic(), []
    if stormy:
        threads = [threading.Thread(target=lambda p=p: counts.append(p.storm(seconds))) for p in painters]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    else:
        time.sleep(seconds)
    return (sum(p.painted() for p in painters) - before) / (time.monotonic() - start), sum(counts)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("--seconds", type=float, default=10)
    asked = options.parse_args()
    with Server(*SERVER) as server:
        painters = [Painter(server), Painter(server)]
        time.sleep(3)
        calm, stormy = [], []
        print("| pair | calm, fps | in the storm, fps | changes |\n|---|---|---|---|")
        for pair in range(asked.pairs):
            calm.append(rate(painters, asked.seconds, False)[0])
            fps, changes = rate(painters, asked.seconds, True)
            stormy.append(fps)
            print(f"| {pair + 1} | {calm[-1]:.2f} | {fps:.2f} | {changes} |", flush=True)
        for painter in painters:
            painter.over.set()
        # Each waits for no more than its last picture.
        time.sleep(1)
    print(f"\nmedians: {statistics.median(stormy):.2f} / {statistics.median(calm):.2f} = {statistics.median(stormy) / statistics.median(calm):.3f}")


if __name__ == "__main__":
    main()
