"""A small HTTP/1 client and server, each an asyncio.Protocol around h11's state machine."""

import asyncio

import h11

_PIECE_BYTES = 20000


class HttpProtocol(asyncio.Protocol):
    """Feeds h11, and honours pause_writing() as a server has to."""

    role = h11.CLIENT

    def __init__(self):
        self.connection = h11.Connection(self.role)
        self.writable = asyncio.Event()
        self.writable.set()
        self.n_pauses = 0

    def connection_made(self, transport):
        self.transport = transport

    def pause_writing(self):
        self.n_pauses += 1
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def data_received(self, data):
        self.connection.receive_data(data)
        while True:
            event = self.connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            self.on_event(event)

    def connection_lost(self, exc):
        self.writable.set()

    def put(self, event):
        """Send one event of h11."""
        data = self.connection.send(event)
        if data:
            self.transport.write(data)

    async def put_body(self, body):
        """Send a body in pieces, as fast as the transport likes."""
        for i in range(0, len(body), _PIECE_BYTES):
            await self.writable.wait()
            self.put(h11.Data(data=body[i : i + _PIECE_BYTES]))
        self.put(h11.EndOfMessage())


class HttpServer(HttpProtocol):
    """Answers POST with the body backwards, in chunks; keeps the connection."""

    role = h11.SERVER
    tasks = set()

    def on_event(self, event):
        if isinstance(event, h11.Request):
            self.target, self.body = event.target, bytearray()
        elif isinstance(event, h11.Data):
            self.body += event.data
        elif isinstance(event, h11.EndOfMessage):
            task = asyncio.get_running_loop().create_task(self.answer(bytes(self.body[::-1])))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def answer(self, body):
        self.put(
            h11.Response(
                status_code=200,
                headers=[("x-target", self.target), ("transfer-encoding", "chunked")],
            )
        )
        await self.put_body(body)
        self.connection.start_next_cycle()


class HttpClient(HttpProtocol):
    """One request after the other."""

    async def post(self, target, body):
        """Return the response's target header and body."""
        self.done = asyncio.get_running_loop().create_future()
        self.got = bytearray()
        headers = [("host", "kcp"), ("content-length", str(len(body)))]
        self.put(h11.Request(method="POST", target=target, headers=headers))
        await self.put_body(body)
        response = await self.done
        self.connection.start_next_cycle()
        return dict(response.headers)[b"x-target"].decode(), bytes(self.got)

    def on_event(self, event):
        if isinstance(event, h11.Response):
            self.response = event
        elif isinstance(event, h11.Data):
            self.got += event.data
        elif isinstance(event, h11.EndOfMessage):
            self.done.set_result(self.response)
