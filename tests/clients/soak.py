"""Hours of comings and goings: `soak.py --minutes 10`. Cameras and viewers come, and leave in every way there is; when
all have gone, the server holds what it held before: no session, no file handle more, no memory that grows.
"""

import argparse
import random
import socket
import struct
import sys
import time

import psutil

from camera import Camera, jpegs
from server import Server

ROWS = ["passthrough", "canny", "img2img"]
# Allocators keep some of what they were given back; a leak of one 512x512 frame a round would pass this in minutes.
GROWTH_BYTES = 48 << 20
FREED_SECS = 20


def viewer(server, session):
    """A stream that is read for a moment and then left, politely or with a reset."""
    reader = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    reader.sendall(f"GET /api/stream/{session} HTTP/1.1\r\nHost: limn\r\n\r\n".encode())
    return reader


def leave(reader, rudely):
    if rudely:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reader.close()


def one_round(server, pictures, chance):
    """Three cameras with viewers; some of them vanish instead of saying goodbye."""
    cameras = [Camera(server.host, pictures, row=row).__enter__() for row in ROWS]
    readers = [viewer(server, camera.id) for camera in cameras for _ in range(chance.randrange(1, 4))]
    end = time.monotonic() + chance.uniform(0.5, 2.0)
    while time.monotonic() < end:
        for reader in readers:
            reader.settimeout(0.05)
            try:
                reader.recv(chance.randrange(1, 65536))
            except TimeoutError:
                pass
    for reader in readers:
        leave(reader, chance.random() < 0.5)
    for camera in cameras:
        if chance.random() < 0.5:
            camera._connection.socket.shutdown(socket.SHUT_RDWR)
        camera.__exit__(None, None, None)


def at_rest(server, process):
    """Memory and file handles once every session has ended."""
    end = time.monotonic() + FREED_SECS
    while server.get("/api/sessions")["sessions"]:
        if time.monotonic() > end:
            sys.exit(f"sessions are still there {FREED_SECS} s after everybody left")
        time.sleep(0.2)
    time.sleep(1)
    return process.memory_info().rss, process.num_fds()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    pictures, chance = jpegs(), random.Random(1)
    with Server("--idle-timeout", "2", "--max-sessions", "16", "--pipeline", "img2img") as server:
        process = psutil.Process(server.process.pid)
        # What is allocated once is allocated now.
        for _ in range(5):
            one_round(server, pictures, chance)
        rss, handles = at_rest(server, process)
        rounds, end = 0, time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            one_round(server, pictures, chance)
            rounds += 1
        rss_then, handles_then = at_rest(server, process)
    print(f"{rounds} rounds: memory {rss / 1e6:.0f} -> {rss_then / 1e6:.0f} MB, file handles {handles} -> {handles_then}")
    if handles_then > handles or rss_then > rss + GROWTH_BYTES:
        sys.exit("the server holds more than before")


if __name__ == "__main__":
    main()
