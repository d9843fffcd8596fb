"""A defect in the library, or in a class of the user's, costs a datagram or a session, not all."""

import asyncio
import errno

from core_support import PUSH, raises, segment
from loopback import pair, soon
from test_endpoint import Net, fake, fill

import kcp
from kcp import Config, Listener
from kcp.cc import Controller
from kcp.session import CLOSED, OPEN


def reports_of(port):
    """The list into which the port reports from now on."""
    reports = []
    port.report = lambda error, message: reports.append((error, message))
    return reports


def broken(call, n):
    """`call`, but it raises instead the first n times."""
    left = [n]

    def instead(*values):
        if left[0]:
            left[0] -= 1
            raise KeyError("K")
        return call(*values)

    return instead


def test_a_datagram_that_input_raises_for_is_counted_and_reported_once():
    net = Net(mode="fast3")
    reports = reports_of(net.server.port)
    link = net.client("c")
    link.session.send(b"one")
    net.run(20)
    listener = net.server.listener
    listener.input = broken(listener.input, 3)
    link.session.send(b"two")
    link.endpoint.kick(link)
    net.run(2000)
    got, session = bytearray(10), net.accepted[0].session
    assert session.recv_into(got) + session.recv_into(memoryview(got)[3:]) == 6
    assert got[:6] == b"onetwo" and link.session.state == OPEN
    assert listener.stats.InErrs == 3
    assert len(reports) == 1 and isinstance(reports[0][0], KeyError)
    assert "only counted (InErrs)" in reports[0][1]


def test_the_same_at_a_client():
    endpoint, link = fake(1)
    reports = reports_of(endpoint.port)
    link.session.input = broken(link.session.input, 2)
    for _ in range(3):
        endpoint.input(1, "a", 0)
    assert link.session.stats.InErrs == 2 and len(reports) == 1
    assert endpoint.turn(0) == -1 and link.session.n_built == 1


def test_a_session_whose_turn_raises_ends_alone():
    endpoint, bad = fake(1, "bad")
    _, good = fake(3, "good", endpoint)
    reports = reports_of(endpoint.port)
    ended = []
    bad.session.output = broken(bad.session.output, 1)
    bad.session.abort = lambda error, why: ended.append((error, why))
    assert endpoint.turn(0) == -1
    assert ended[0][0] == errno.EIO and "KeyError in the session's turn" in ended[0][1]
    assert bad.is_gone and bad.n_closed == 1 and not good.is_gone
    assert good.session.n_built == 3 and len(reports) == 1


def test_a_port_that_cannot_report_gets_the_exception():
    endpoint, link = fake(1)
    link.session.input = broken(link.session.input, 1)
    raises(KeyError, endpoint.input, 1, "a", 0)


def test_a_listener_refuses_a_class_that_makes_no_controller_before_it_listens():
    class Nothing(Controller):
        def __init__(self, arq):
            pass

    raises(ValueError, lambda: Listener(Config(cc=Nothing), fill))

    async def server():
        await kcp.start_server(lambda reader, writer: None, "127.0.0.1", 0, cc=Nothing)

    async def main():
        try:
            await soon(server())
        except ValueError as error:
            return str(error)

    assert "cwnd must be" in asyncio.run(main())


def test_a_new_session_that_cannot_be_made_leaves_the_old_one():
    left = [2]  # the trial, and the first session

    def make(arq):
        left[0] -= 1
        return Controller(arq) if left[0] >= 0 else 1 // 0

    listener = Listener(Config(cc=make), fill)
    for conv in (1, 2):  # the second from a restarted peer, as it seems
        buf = bytearray(segment(PUSH, conv=conv, data=b"x"))
        if conv == 1:
            known = listener.input(buf, len(buf), "a", 0)
        else:
            raises(ValueError, listener.input, buf, len(buf), "a", 5)
    assert known.state == OPEN and listener.sessions == {"a": known} and not listener.aborted
    assert len(listener.backlog) == 1 and listener.stats.PassiveOpens == 1


def test_a_server_goes_on_after_a_defect():
    async def main():
        async with await pair() as both:
            both.client.write(b"one")
            assert await soon(both.peer.read(100)) == b"one"
            endpoint = both.server.endpoint
            reports = reports_of(endpoint.port)
            listener = endpoint.listener
            listener.input = broken(listener.input, 2)
            both.client.write(b"two")
            assert await soon(both.peer.read(100)) == b"two"
            assert listener.stats.InErrs == 2 and both.client.session.state != CLOSED
            assert len(reports) == 1

    asyncio.run(main())
