"""The least that a server can do between a camera and a viewer: WebSocket in, multipart out, and nothing between.

What another server adds to this is its own. `echo.py` prints its two ports, of the WebSocket and of the stream. With
`--boundary first` it frames as most servers of MJPEG do: a boundary is sent with the picture that it begins.
"""

import argparse
import asyncio

from websockets.asyncio.server import serve

BOUNDARY = b"--frame\r\n"


class Echo:
    """Every binary message goes to every viewer at once; texts are not looked at."""

    def __init__(self, boundary):
        self.viewers = set()
        self.first = boundary == "first"

    async def camera(self, socket):
        async for message in socket:
            if isinstance(message, str):
                continue
            head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(message)
            part = [BOUNDARY, head, message, b"\r\n"] if self.first else [head, message, b"\r\n", BOUNDARY]
            for viewer in self.viewers:
                viewer.writelines(part)

    async def view(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
            b"Cache-Control: no-store\r\nConnection: close\r\n\r\n" + (b"" if self.first else BOUNDARY)
        )
        self.viewers.add(writer)
        # A viewer says nothing more until it leaves.
        await reader.read()
        self.viewers.discard(writer)
        writer.close()

    async def run(self):
        # Compression would be all of its work, and no browser's camera asks for it to pay off on JPEG.
        async with serve(self.camera, "127.0.0.1", 0, compression=None, max_size=None) as sockets:
            stream = await asyncio.start_server(self.view, "127.0.0.1", 0)
            ports = [server.sockets[0].getsockname()[1] for server in (sockets, stream)]
            print(*ports, flush=True)
            await stream.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boundary", choices=("first", "last"), default="last")
    asyncio.run(Echo(parser.parse_args().boundary).run())
