"""--trace of the command line: what passes, on stderr."""

import re

from cli_support import Kcp, kcp


def test_events_on_stderr(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(5000))
    (tmp_path / "to").mkdir()
    with Kcp("recv", "--listen", "127.0.0.1:0", "--output", tmp_path / "to", "--json") as recv:
        code, _, notes = kcp("send", path, recv.address, "--json", "--trace", "out_push,in_ack")
        assert code == 0 and recv.result()[0] == 0
    pattern = r"\d\d:\d\d:\d\d\.\d{3} [0-9a-f]{8} (out_push sn=\d+ |in_ack sn=\d+ ).*"
    kinds = {re.fullmatch(pattern, line)[1].split()[0] for line in notes}
    assert kinds == {"out_push", "in_ack"} and len(notes) > 5


def test_events_that_are_none():
    code, out, notes = kcp("echo", "--trace", "everything")
    assert code == 2 and out == b""
    assert "unknown trace event 'everything'" in notes[0]
