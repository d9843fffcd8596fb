"""The raw KCP objects of the packages kcp, aiokcp and siokcp behind one face.

send(data), input(data), update(ms), flush(), waiting() -> segments, recv() -> bytes or None;
what goes out is given to the callback. Settings as in kcp-go's benchmarks, message mode.
"""

WINDOW = 1024
MTU = 1400
INTERVAL_MS = 10


class Kcp:
    """kcp 0.1.6"""

    def __init__(self, callback):
        from kcp import KCP

        self.one = one = KCP(1, MTU, True, INTERVAL_MS, 2, True, WINDOW, WINDOW)
        one.include_outbound_handler(lambda _, data: callback(data))
        self.send, self.input = one.enqueue, one.receive
        self.update, self.flush = one.update, one.flush
        self.waiting = one.get_outbound_packets

    def recv(self):
        return self.one.get_received() or None


class Aiokcp:
    """aiokcp 0.0.4"""

    def __init__(self, callback):
        from aiokcp.kcp import KCP

        self.one = one = KCP(1, MTU, True, INTERVAL_MS, 2, True, WINDOW, WINDOW)
        one.set_output_handler(lambda _, data: callback(data))
        self.send, self.input = one.enqueue, one.receive
        self.update, self.flush = one.update, one.flush
        self.waiting = one.get_waitsnd

    def recv(self):
        return self.one.get_received() or None


class Siokcp:
    """siokcp 0.0.5"""

    def __init__(self, callback):
        from siokcp._kcp import KCPConnection

        def output(data):
            callback(data)
            return 0

        self.one = one = KCPConnection(1, output, print)
        one.setmtu(MTU)
        one.wndsize(WINDOW, WINDOW)
        one.nodelay(1, INTERVAL_MS, 2, 1)
        self.send, self.input = one.send, one.receive_data
        self.update, self.flush = one.update, one.flush
        self.waiting, self.recv = one.waitsnd, one.next_event


OBJECTS = {"kcp": Kcp, "aiokcp": Aiokcp, "siokcp": Siokcp}
