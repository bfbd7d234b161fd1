"""ffmpeg, OpenCV and curl read a session's stream, all at the same time and while it runs."""

import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

import readers
from camera import Camera, jpegs
from server import Server


class Readers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("--pipeline", "passthrough"))
        cls.camera = cls.enterClassContext(Camera(cls.server.host, jpegs()))

    def seen_well(self, report, count):
        self.assertEqual(report["pictures"], count)
        self.assertEqual(report["size"], [512, 512])
        self.assertGreater(report["moved"], count // 2, report)
        self.assertGreater(report["contrast"], 20, report)

    def test_ffmpeg_and_opencv_at_the_same_time(self):
        with ThreadPoolExecutor() as pool:
            seen = [pool.submit(program, self.camera.stream, 40) for program in (readers.ffmpeg, readers.opencv)]
            for report in seen:
                self.seen_well(report.result(120), 40)

    def test_opencv_reads_our_own_name_of_the_stream(self):
        url = f"{self.server.url}/api/sessions/{self.camera.id}/stream.mjpeg"
        self.seen_well(readers.opencv(url, 20), 20)

    def curl(self, *args):
        return subprocess.run(["curl", "-sS", *args], capture_output=True, timeout=30, check=False)

    def test_curl_head(self):
        for path in ("/api/stream/{}", "/api/sessions/{}/stream.mjpeg"):
            answer = self.curl("--head", self.server.url + path.format(self.camera.id)).stdout.decode().lower()
            self.assertTrue(answer.startswith("http/1.1 200"), answer)
            self.assertIn("content-type: multipart/x-mixed-replace; boundary=frame\r\n", answer)
            self.assertIn("cache-control: no-store", answer)
            self.assertIn("x-accel-buffering: no", answer)
            self.assertIn("x-content-type-options: nosniff", answer)

    def test_curl_get_is_not_chunked_and_each_part_says_its_length(self):
        # curl's own time limit ends the endless body; 28 is how it says so.
        done = self.curl("--raw", "--include", "--max-time", "2", self.camera.stream)
        self.assertEqual(done.returncode, 28, done.stderr)
        head, body = done.stdout.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"transfer-encoding", head.lower())
        self.assertIn(b"connection: close", head.lower())
        whole = 0
        self.assertTrue(body.startswith(b"--frame\r\n"), body[:40])
        while (part := body.removeprefix(b"--frame\r\n")) != body and b"\r\n\r\n" in part:
            headers, rest = part.split(b"\r\n\r\n", 1)
            fields = dict(line.lower().split(b": ", 1) for line in headers.split(b"\r\n"))
            self.assertEqual(fields[b"content-type"], b"image/jpeg")
            length = int(fields[b"content-length"])
            if len(rest) < length + 2:
                break
            self.assertEqual((rest[:2], rest[length - 2 : length + 2]), (b"\xff\xd8", b"\xff\xd9\r\n"))
            body, whole = rest[length + 2 :], whole + 1
        self.assertGreater(whole, 10)

    def test_a_reader_without_a_user_agent_is_served(self):
        done = self.curl("--user-agent", "", "--max-time", "1", self.camera.stream)
        self.assertEqual(done.returncode, 28, done.stderr)
        self.assertGreater(done.stdout.count(b"--frame\r\n"), 5)

    def test_curl_snapshot(self):
        url = f"{self.server.url}/api/sessions/{self.camera.id}/snapshot.jpg"
        done = self.curl("--include", url)
        head, body = done.stdout.split(b"\r\n\r\n", 1)
        self.assertIn(b"200", head.split(b"\r\n")[0])
        self.assertIn(b"content-type: image/jpeg", head.lower())
        self.assertEqual((body[:3], body[-2:]), (b"\xff\xd8\xff", b"\xff\xd9"))

    def test_an_unknown_session_is_told_before_any_body(self):
        for method in ("--get", "--head"):
            done = self.curl(method, "--include", f"{self.server.url}/api/stream/00000000-0000-4000-8000-000000000000")
            self.assertTrue(done.stdout.startswith(b"HTTP/1.1 404"), done.stdout[:80])


if __name__ == "__main__":
    unittest.main()
