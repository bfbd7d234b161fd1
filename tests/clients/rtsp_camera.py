"""An RTSP camera that nobody here wrote: GStreamer's own server, H.264 as cameras send it. `rtsp_camera.py PORT` plays
rtsp://127.0.0.1:PORT/live until it is ended. For the system's Python, which has GStreamer's bindings.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

LAUNCH = """( videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1
! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96 )"""


def main(port):
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH)
    factory.set_shared(True)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(sys.argv[1])
