# upy: heapsize=8m
"""What MicroPython can do with a stream, on the files and sockets of the blocking API."""

import json
import select

from blocking_pair import Pair

from kcp import blocking

IOCTL_CLOSE = 4


def test_print_and_json_write_to_a_file():
    with Pair() as p, p.client.makefile("rwb") as out, p.peer.makefile("rb") as file:
        print("a line", 7, file=out)
        assert file.readline() == b"a line 7\n"
        json.dump({"a": [1, 2.5, None]}, out)
        out.write(b"\n")
        assert json.loads(file.readline()) == {"a": [1, 2.5, None]}


def test_a_file_in_a_poll():
    with Pair() as p, p.peer.makefile("rb") as file:
        poll = select.poll()
        poll.register(file, select.POLLIN)
        assert poll.poll(10) == []
        p.client.sendall(b"one\ntwo\n")
        assert poll.poll(20000) == [(file, select.POLLIN)]
        assert file.readline() == b"one\n"
        assert poll.poll(0) == [(file, select.POLLIN)]  # in the file's buffer
        assert file.readline() == b"two\n"
        assert poll.poll(10) == []


def test_pollout_says_whether_there_is_room():
    with Pair(sndwnd=2, rcvwnd=2) as p:
        poll = select.poll()
        poll.register(p.client, select.POLLOUT)
        assert poll.poll(0) == [(p.client, select.POLLOUT)]
        p.client.settimeout(0)
        n = 0
        while poll.poll(100):  # until the peer's window is full too
            n += p.client.send(bytes(1000))
        assert 2000 < n < 20000
        p.peer.recv(2000)
        assert poll.poll(20000) == [(p.client, select.POLLOUT)]


def test_a_file_that_does_not_block():
    with Pair() as p, p.peer.makefile("rb") as file, p.client.makefile("wb") as out:
        p.peer.settimeout(0)
        p.client.settimeout(0)
        assert file.read(3) is None and file.readinto(bytearray(2)) is None
        assert out.write(b"ab") == 2
        while not p.peer.session.readable:
            blocking.service(5)
        assert file.read(3) == b"ab" and file.read(3) is None
        while out.write(bytes(20000)) is not None:
            pass


def test_what_is_read_before_a_timeout_is_kept():
    with Pair() as p, p.peer.makefile("rb") as file:
        p.peer.settimeout(0.1)
        p.client.sendall(b"half")
        for read in (file.readline, file.read, lambda: file.read(10)):
            try:
                read()
                raise AssertionError
            except OSError:
                pass
        p.client.sendall(b" a line\n")
        assert file.readline() == b"half a line\n"


def test_closing_by_the_stream_protocol():
    with Pair() as p:
        file = p.peer.makefile("rb")
        assert file.ioctl(IOCTL_CLOSE, 0) == 0
        try:
            file.read(1)
            raise AssertionError
        except ValueError:
            pass
        assert p.client.ioctl(IOCTL_CLOSE, 0) == 0
        assert p.client.session.state == 2
