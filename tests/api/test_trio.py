"""kcp_trio: trio's own stream checks, and what they do not ask. In trio's virtual time."""

import logging

import pytest
import trio
import trio.testing
from tls_support import NAME, contexts
from trio_support import BYTES, OPTIONS, clogged, pair, receive, run, wires

import kcp_trio


async def send_and_close(stream, data):
    await stream.send_all(data)
    await stream.aclose()


# trio's checks


@pytest.mark.parametrize("wire", [{}, {"delay_s": 0.02, "loss": 0.1}])
def test_trios_checks_of_half_closeable_streams_pass_with_end_marks(wire):
    async def checks():
        await trio.testing.check_half_closeable_stream(
            lambda: pair(wire, end_mark=True), lambda: clogged(wire=wire, end_mark=True)
        )

    run(checks)


def test_trios_checks_of_streams_pass_with_tls(tmp_path):
    server_context, client_context = contexts(str(tmp_path))

    def secured(both):
        client = trio.SSLStream(both[0], client_context, server_hostname=NAME)
        return client, trio.SSLStream(both[1], server_context, server_side=True)

    async def made():
        return secured(await pair())

    run(trio.testing.check_two_way_stream, made, None)


# the plain stream


def test_a_transfer_over_a_link_that_loses():
    async def transfer():
        client, server = await pair({"delay_s": 0.05, "loss": 0.1}, fec=(10, 3))
        assert await_sent(client) == 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_all, BYTES)
            nursery.start_soon(server.send_all, BYTES[::-1])
            assert await receive(server, len(BYTES)) == BYTES
            assert await receive(client, len(BYTES)) == BYTES[::-1]
        assert client.session.stats.RetransSegs
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.aclose)
            nursery.start_soon(server.aclose)
        assert await_sent(client) == await_sent(server) == 0

    run(transfer)


def await_sent(stream):
    return stream.session.unacked_bytes


def test_nothing_written_before_aclose_is_lost():
    async def transfer():
        client, server = await pair({"delay_s": 0.05, "loss": 0.3})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_and_close, client, BYTES)
            assert await receive(server, len(BYTES)) == BYTES
        assert "closed" in repr(client) and "open" in repr(server)
        await trio.aclose_forcefully(server)

    run(transfer)


def test_a_cancelled_aclose_drops_what_is_queued():
    async def transfer():
        client, server = await pair({"delay_s": 0.3})
        await client.send_all(bytes(50000))
        begin = trio.current_time()
        with trio.move_on_after(0.5) as scope:
            await client.aclose()
        assert scope.cancelled_caught and trio.current_time() - begin == pytest.approx(0.5)
        assert client.session.lost_bytes
        await trio.aclose_forcefully(server)

    run(transfer)


def test_aclose_tells_what_was_not_acknowledged():
    async def transfer():
        client, server = await pair(linger_ms=500)
        await trio.aclose_forcefully(server)
        await client.send_all(bytes(5000))
        with pytest.raises(
            trio.BrokenResourceError, match=r"5000 bytes .* 500 ms .linger_ms."
        ) as e:
            await client.aclose()
        assert isinstance(e.value.__cause__, TimeoutError)
        await client.aclose()  # said once

    run(transfer)


def test_a_peer_that_is_gone_breaks_the_stream():
    async def transfer():
        client, server = await pair()
        await client.send_all(b"abc")
        await trio.testing.wait_all_tasks_blocked()
        await trio.aclose_forcefully(client)
        assert await server.receive_some() == b"abc"  # what came before is there
        for _ in range(2):
            with pytest.raises(trio.BrokenResourceError, match=r"dead_ms") as error:
                await server.receive_some()
            assert isinstance(error.value.__cause__, TimeoutError)
        await server.aclose()

    run(transfer)


def test_nobody_answers():
    async def probe():
        a, _ = wires()
        begin = trio.current_time()
        with pytest.raises(TimeoutError, match=r"no answer in 700 ms: .* same key"):
            await kcp_trio.open_stream(carrier=a, probe_ms=700)
        assert trio.current_time() - begin == pytest.approx(0.7)
        assert a.on_ready is None
        again = await kcp_trio.open_stream(carrier=a)  # it was given back
        await again.aclose()

    run(probe)


def test_one_carries_one():
    async def twice():
        a, _ = wires()
        async with await kcp_trio.open_stream(carrier=a):
            with pytest.raises(ValueError, match="one at a time"):
                await kcp_trio.open_stream(carrier=a)

    run(twice)


def test_what_is_wrong_is_said_at_once():
    async def wrong():
        for error, arguments in (
            ("host and the port", {}),
            ("one of them", {"carrier": wires()[0], "port": 5}),
            ("end_mark=True needs stream=True", {"port": 5, "end_mark": True, "stream": False}),
            ("mode", {"port": 5, "mode": "slow"}),
        ):
            host = "127.0.0.1" if arguments and "carrier" not in arguments else None
            with pytest.raises(ValueError, match=error):
                await kcp_trio.open_stream(host, **arguments)
        with pytest.raises(ValueError, match="say the port"):
            await kcp_trio.open_listener()

    run(wrong)


def test_an_idle_session_has_no_timer():
    async def idle():
        client, server = await pair(keepalive_ms=0)
        await client.send_all(b"x")
        assert await server.receive_some() == b"x"
        with trio.move_on_after(60):
            await server.receive_some()
        statistics = trio.lowlevel.current_statistics()
        assert statistics.seconds_to_next_deadline > 1000
        for stream in (client, server):
            await stream.aclose()

    run(idle)


def test_settings_and_packets_out_of_band():
    async def both():
        client, server = await pair(fec=(3, 1))
        client.set(mode="fast2", mtu=1000)
        assert client.session.config.mode == "fast2"
        got = []
        server.set_oob_handler(got.append)
        assert client.send_oob(b"beside")
        await client.send_all(b"x")
        await server.receive_some()
        assert got == [b"beside"]
        with pytest.raises(ValueError):
            client.set(mtu=5)
        for stream in (client, server):
            await trio.aclose_forcefully(stream)

    run(both)


def test_what_a_handler_raises_is_logged(caplog):
    async def failing():
        client, server = await pair(fec=(3, 1))
        server.set_oob_handler(lambda data: 1 / 0)
        client.send_oob(b"")
        await client.send_all(b"x")
        assert await server.receive_some() == b"x"
        for stream in (client, server):
            await trio.aclose_forcefully(stream)

    with caplog.at_level(logging.ERROR, "kcp.trio"):
        run(failing)
    assert "out-of-band" in caplog.text and "ZeroDivisionError" in caplog.text


def test_a_defect_ends_its_endpoint_and_no_other(caplog):
    async def failing():
        client, server = await pair()
        client._link.endpoint.turn = None
        with pytest.raises(trio.BrokenResourceError, match="endpoint failed"):
            await client.send_all(b"x")
            await client.receive_some()
        await trio.aclose_forcefully(server)

    with caplog.at_level(logging.ERROR, "kcp.trio"):
        run(failing)
    assert "TypeError" in caplog.text


# end marks


def test_a_defect_in_input_costs_a_datagram(caplog):
    async def main():
        client, server = await pair()
        listener = server._link.endpoint.listener
        take, left = listener.input, [1]

        def broken(*values):
            if left[0]:
                left[0] -= 1
                raise KeyError("K")
            return take(*values)

        listener.input = broken
        await client.send_all(b"abc")
        assert await receive(server, 3) == b"abc" and listener.stats.InErrs == 1
        await client.aclose()
        await server.aclose()

    with caplog.at_level(logging.ERROR, "kcp.trio"):
        run(main)
    assert len(caplog.records) == 1 and "KeyError" in caplog.text


def test_a_peer_that_has_closed_is_not_waited_for():
    async def late():
        client, server = await pair(end_mark=True)
        await client.aclose()
        await trio.sleep(100)
        assert await server.receive_some() == b""
        begin = trio.current_time()
        await server.aclose()
        assert trio.current_time() - begin < 1.5

    run(late)


def test_a_cancelled_send_leaves_no_half_of_a_frame():
    async def cancelled():
        client, server = await clogged(end_mark=True)
        with trio.move_on_after(1):
            await client.send_all(BYTES)
        n = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.aclose)
            async for data in server:
                n += len(data)
            await server.aclose()
        assert n >= 64 * client.session.mss // 2
        assert not client.session.lost_bytes

    run(cancelled)


def test_closing_a_listener():
    async def closing():
        a, b = wires()
        listener = await kcp_trio.open_listener(carrier=b, **OPTIONS)
        async with trio.open_nursery() as nursery:

            async def refused():
                with pytest.raises(trio.ClosedResourceError):
                    await listener.accept()

            nursery.start_soon(refused)
            await trio.testing.wait_all_tasks_blocked()
            await listener.aclose()
            await listener.aclose()
        assert b.on_ready is None
        waiting = await kcp_trio.open_listener(carrier=b, **OPTIONS)
        client = await kcp_trio.open_stream(carrier=a, probe_ms=5000, **OPTIONS)
        await waiting.aclose()  # with a session that nobody has accepted
        await trio.testing.wait_all_tasks_blocked()
        assert b.on_ready is None and waiting.stats.PassiveOpens == 1
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()
        await client.aclose()

    run(closing)
