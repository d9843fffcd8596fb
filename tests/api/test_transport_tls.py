"""TLS over our transport, by the event loop's own start_tls(). TLS brings the end mark."""

import asyncio
import ssl

import pytest
from tls_support import NAME, contexts
from transport_support import Ends, Recorder, lossy, pattern, soon, until

_tasks = set()


class TlsServer(Recorder):
    """Begins with TLS. What start_tls() raises is kept."""

    context = None
    patience_s = 60

    def connection_made(self, transport):
        if not self.calls:
            transport.pause_reading()  # nothing may come before TLS is there
            task = asyncio.get_running_loop().create_task(self.begin(transport))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)
            self.task = task
        super().connection_made(transport)

    async def begin(self, transport):
        loop = asyncio.get_running_loop()
        self.transport = await loop.start_tls(
            transport, self, self.context, server_side=True, ssl_handshake_timeout=self.patience_s
        )
        self.answer()  # what came while start_tls() was returning

    def data_received(self, data):
        super().data_received(data)
        if self.task.done():
            self.answer()

    def answer(self):
        pass


class Shouting(TlsServer):
    """Answers in capitals."""

    n_answered = 0

    def answer(self):
        self.transport.write(self.data[self.n_answered :].upper())
        self.n_answered = len(self.data)


class Impatient(TlsServer):
    """Waits for no handshake for long."""

    patience_s = 0.5


@pytest.fixture
def tls(tmp_path):
    server, client = contexts(str(tmp_path))
    TlsServer.context = server
    return client


async def start(ends, context, name=NAME):
    """Turn the client's end into TLS; return its new transport."""
    loop = asyncio.get_running_loop()
    return await soon(loop.start_tls(ends.transport, ends.protocol, context, server_hostname=name))


@pytest.mark.parametrize("loss", [0, 15])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_directions(tls, version, loss):
    tls.maximum_version = version
    async with Ends(server_kind=Shouting) as ends:
        lossy(ends.transport._stream, loss)
        lossy(ends.peer.transport._stream, loss, 2)
        secured = await start(ends, tls)
        assert secured.get_extra_info("ssl_object").version() == version.name.replace("v1_", "v1.")
        assert secured.get_extra_info("peername") == ("127.0.0.1", ends.port)
        data = pattern(300000).lower()
        secured.write(data)
        await until(lambda: len(ends.protocol.data) == len(data))
        assert bytes(ends.protocol.data) == data.upper()
        assert bytes(ends.peer.data) == data
        secured.abort()


async def test_flow_control_reaches_through_tls(tls):
    async with Ends(server_kind=TlsServer, sndwnd=32, rcvwnd=32) as ends:
        secured = await start(ends, tls)
        await until(ends.peer.task.done)
        ends.peer.transport.pause_reading()
        n_written = 0
        while "pause" not in ends.protocol.calls:
            secured.write(bytes(10000))
            n_written += 10000
            await asyncio.sleep(0.005)
            assert n_written < 3000000
        ends.peer.transport.resume_reading()
        await until(lambda: "resume" in ends.protocol.calls)
        await until(lambda: len(ends.peer.data) == n_written)
        secured.abort()


async def test_close_notify_is_the_end_of_file(tls):
    async with Ends(server_kind=TlsServer) as ends:
        secured = await start(ends, tls)
        await until(ends.peer.task.done)
        secured.write(b"the end")
        secured.close()
        assert await soon(ends.peer.lost) is None
        assert ends.peer.data == b"the end" and ends.peer.calls == ["made", "eof", "lost"]
        assert await soon(ends.protocol.lost) is None


async def test_a_wrong_name_is_refused_by_the_client(tls):
    async with Ends(server_kind=Impatient) as ends:
        with pytest.raises(ssl.SSLCertVerificationError):
            await start(ends, tls, "other.test")
        assert ends.transport.is_closing()
        with pytest.raises(ConnectionAbortedError):  # after its ssl_handshake_timeout
            await soon(ends.peer.task)
