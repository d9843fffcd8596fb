"""What a result says of its session."""

import kcp
from kcp_cli import report


class Ends:
    """Two sessions in virtual time, and what `figures` wants of a stream."""

    def __init__(self):
        config = kcp.Config(crypt="null", acknodelay=True)
        self.sessions = [kcp.Session(7, config, None, 0) for _ in range(2)]

    def get_extra_info(self, _name):
        return self.sessions[0]

    def figures(self):
        return report.figures(self, 5, 1)

    def exchange(self, trip_ms):
        """Five bytes from 0 to 1, and the acknowledgement back, each way in so long."""
        here, there = self.sessions
        buf = bytearray(here.buffer_bytes)
        here.send(b"hello")
        n = here.output(buf, 10)
        assert there.input(buf, n, 10 + trip_ms)
        n = there.output(buf, 10 + trip_ms)
        assert here.input(buf, n, 10 + 2 * trip_ms)


def test_no_round_trip_before_an_acknowledgement():
    ends = Ends()
    assert ends.figures()["rtt_ms"] is None
    ends.sessions[0].send(b"hello")
    assert ends.figures()["rtt_ms"] is None
    assert "RTT" not in report.describe(ends.figures())


def test_a_round_trip_of_less_than_1_ms_is_one():
    ends = Ends()
    ends.exchange(0)
    assert ends.figures()["rtt_ms"] == 0
    assert "RTT under 1 ms" in report.describe(ends.figures())


def test_round_trip():
    ends = Ends()
    ends.exchange(20)
    assert ends.figures()["rtt_ms"] == 40
    assert "RTT 40 ms" in report.describe(ends.figures())
