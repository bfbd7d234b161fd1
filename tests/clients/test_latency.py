"""What Limn adds to a bare echo server, for a picture that it passes through."""

import unittest

import latency

# Milliseconds over the echo's own, which the same run measured.
P50_OVER = 2.0
P99_OVER = 8.0


class Latency(unittest.TestCase):
    def test_passthrough_is_near_a_bare_echo(self):
        tried = []
        for echo, limn in latency.pairs(3, 8):
            tried.append((limn.p50 - echo.p50, limn.p99 - echo.p99))
            if tried[-1][0] <= P50_OVER and tried[-1][1] <= P99_OVER and limn.seen >= 0.95 * limn.sent:
                return
        self.fail(f"over the echo's, p50 and p99 in ms: {', '.join(f'{p50:.2f} and {p99:.2f}' for p50, p99 in tried)}")


if __name__ == "__main__":
    unittest.main()
