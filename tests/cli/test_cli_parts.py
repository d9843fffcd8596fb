"""What is left of transfers that were cut off does not grow without limit."""

import os
import time
from collections import namedtuple

import pytest
from cli_support import LIMIT_S, Kcp

from kcp_cli import parts
from kcp_cli.incoming import Incoming
from kcp_cli.parts import MAX_DAYS, MAX_PARTS, tidy

DAY_S = 86400
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def left(tmp_path):
    """left(i, age_s, n_bytes): a part in tmp_path."""

    def make(i, age_s=0, n_bytes=10):
        path = tmp_path / f".kcp-{i:016x}.part"
        path.write_bytes(bytes(n_bytes))
        at = time.time() - age_s
        os.utime(path, (at, at))
        return path

    return make


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_ones_stay(tmp_path, left):
    made = [left(i, age_s=1000 - i) for i in range(MAX_PARTS + 5)]
    assert tidy(tmp_path) == 5
    assert names(tmp_path) == sorted(path.name for path in made[5:])
    assert tidy(tmp_path) == 0


def test_old_ones_go(tmp_path, left):
    left(1, age_s=MAX_DAYS * DAY_S + 60)
    young = left(2, age_s=MAX_DAYS * DAY_S - 60)
    assert tidy(tmp_path) == 1 and names(tmp_path) == [young.name]


def test_a_full_disk_keeps_the_newest(tmp_path, left, monkeypatch):
    made = [left(i, age_s=100 - i, n_bytes=1000) for i in range(6)]
    for free, n_left in ((3500, 3), (500, 1), (0, 1)):
        monkeypatch.setattr(parts.shutil, "disk_usage", lambda _, free=free: Usage(0, 0, free))
        tidy(tmp_path)
        assert names(tmp_path) == sorted(path.name for path in made[6 - n_left :])


def test_what_is_being_written_takes_no_place_of_what_was_left(tmp_path, left, monkeypatch):
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: Usage(0, 0, 1000))
    made = left(1, age_s=10, n_bytes=500)
    with Incoming(str(tmp_path / "a.bin"), 5000, keep=True) as incoming:
        incoming.file.write(bytes(900))
        incoming.file.flush()
        assert tidy(tmp_path) == 0 and made.name in names(tmp_path)


def test_only_parts_of_ours_go(tmp_path):
    for name in ("a.part", ".kcp-x.part", ".kcp-00.part", ".kcp-0123456789abcdef.partly"):
        path = tmp_path / name
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    target = tmp_path / "target"
    target.write_bytes(b"x")
    os.utime(target, (0, 0))
    (tmp_path / f".kcp-{1:016x}.part").symlink_to(target)
    os.link(target, tmp_path / f".kcp-{2:016x}.part")
    (tmp_path / f".kcp-{3:016x}.part").mkdir()
    before = names(tmp_path)
    assert tidy(tmp_path) == 0 and names(tmp_path) == before


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_being_written_stays(tmp_path, keep):
    with Incoming(str(tmp_path / "a.bin"), 100, keep=keep) as incoming:
        incoming.file.write(b"x")
        incoming.file.flush()
        (name,) = names(tmp_path)
        os.utime(tmp_path / name, (0, 0))
        assert tidy(tmp_path) == 0 and names(tmp_path) == [name]
        incoming.file.write(bytes(99))
        incoming.commit()
    assert names(tmp_path) == ["a.bin"]


def test_a_receiver_tidies_up_when_it_begins_and_when_it_keeps_a_part(tmp_path, left):
    for i in range(MAX_PARTS + 3):
        left(i, age_s=1000)
    source = tmp_path / "from" / "a.bin"
    source.parent.mkdir()
    source.write_bytes(bytes(3_000_000))
    with Kcp("recv", "--listen", "127.0.0.1:0", "--output", tmp_path, "--timeout", "2") as recv:
        recv.wait_for(r"removed 3 older parts")
        with Kcp("send", source, recv.address, "--ratelimit", "500000") as send:
            wait_for_a_part_of(tmp_path, 100_000)
            send.process.kill()
        recv.wait_for(r"bytes are kept")
        recv.wait_for(r"removed 1 older part ")
        recv.process.wait(LIMIT_S)
    assert len(list(tmp_path.glob(".kcp-*.part"))) == MAX_PARTS


def wait_for_a_part_of(folder, n_bytes):
    end_s = time.monotonic() + LIMIT_S
    while not any(path.stat().st_size >= n_bytes for path in folder.glob(".kcp-*.part")):
        assert time.monotonic() < end_s, names(folder)
        time.sleep(0.01)
