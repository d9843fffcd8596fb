"""kcp_trio against kcp-go, as client and as server."""

import pytest
import trio
import udp

import kcp_trio

N_BYTES = 400_000
SETTINGS = (
    {"mode": "fast3"},
    {"crypt": "aes-128", "key": "passphrase", "datashard": 10, "parityshard": 3, "mtu": 1200},
)


def ours(options):
    """Our settings for what the Go program takes as flags."""
    import kcp

    return {k: kcp.derive_key(v) if k == "key" else v for k, v in options.items()}


async def echo(stream):
    async for data in stream:
        await stream.send_all(data)


@pytest.mark.parametrize("options", SETTINGS)
def test_our_client(options):
    data = bytes(range(251)) * (N_BYTES // 251)

    async def main(port):
        with trio.fail_after(udp.TIMEOUT_S):
            stream = await kcp_trio.open_stream(
                "127.0.0.1", port, probe_ms=udp.TIMEOUT_S * 1000, **ours(options)
            )
            got = bytearray()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.send_all, data)
                while len(got) < len(data):
                    got += await stream.receive_some()
            assert bytes(got) == data
            await stream.aclose()

    with udp.go_server(**options) as port:
        trio.run(main, port)


@pytest.mark.parametrize("options", SETTINGS)
def test_our_server(options):
    async def main():
        with trio.fail_after(udp.TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                listener = await kcp_trio.open_listener("127.0.0.1", 0, **ours(options))
                nursery.start_soon(trio.serve_listeners, echo, [listener])
                result = await trio.to_thread.run_sync(
                    lambda: udp.go_client(listener.sockname[1], N_BYTES, 1, **options)
                )
                assert result["bytes"] == N_BYTES
                nursery.cancel_scope.cancel()

    trio.run(main)
