"""The endpoint without sockets: timers, turns, fairness, full and refusing sockets."""

# upy: heapsize=8m

import errno

from kcp import Config, Listener, Session, Stats
from kcp.endpoint import Endpoint, Link
from kcp.session import CLOSED, OPEN

PERIOD = 1 << 30
CONFIG = Config()


def fill(view):
    for i in range(len(view)):
        view[i] = 0xA5


class FakePort:
    """Keeps what is sent; says "full" or "refused" when told to."""

    def __init__(self):
        self.sent = []  # (key, bytes)
        self.answer = 1
        self.room = None  # datagrams until the socket is full
        self.n_wakes = 0
        self.is_closed = False
        self.on_send = None

    def send(self, buf, n, key):
        if self.room is not None:
            if self.room == 0:
                return 0
            self.room -= 1
        if self.answer > 0:
            self.sent.append((key, bytes(buf[:n])))
        return self.answer

    def wake(self):
        self.n_wakes += 1

    def close(self):
        self.is_closed = True


class FakeSession:
    """Has `n_out` datagrams to send, each holding its number; then idle."""

    buffer_bytes = 100

    def __init__(self, n_out=0):
        self.n_out = n_out
        self.n_built = 0
        self.state = OPEN
        self.error = None
        self.stats = Stats()
        self.config = CONFIG
        self.wait_ms = -1

    def input(self, buf, n, now_ms):
        return True

    def output(self, buf, now_ms):
        if self.n_built >= self.n_out:
            return 0
        buf[0] = self.n_built & 0xFF
        self.n_built += 1
        return 1

    def timeout(self, now_ms):
        return 0 if self.n_built < self.n_out else self.wait_ms


class FakeLink(Link):
    n_turns = 0
    n_closed = 0

    def after_turn(self, now_ms):
        self.n_turns += 1

    def on_closed(self):
        self.n_closed += 1


def fake(n_out=0, key="a", endpoint=None):
    if endpoint is None:
        endpoint = Endpoint(FakePort(), 100)
    link = FakeLink(endpoint, FakeSession(n_out), key)
    endpoint.attach(link)
    return endpoint, link


def numbers(port, key):
    return [data[0] for k, data in port.sent if k == key]


# turns


def test_a_turn_serves_all_and_then_there_is_nothing_to_wait_for():
    endpoint, link = fake(10)
    assert endpoint.turn(0) == -1
    assert numbers(endpoint.port, "a") == list(range(10))
    assert link.n_turns == 1 and len(endpoint._timers) == 0
    assert endpoint.turn(1) == -1 and link.n_turns == 1  # an idle session costs nothing


def test_a_busy_session_leaves_room_for_others():
    endpoint, busy = fake(10000, "busy")
    fake(3, "quiet", endpoint)
    assert endpoint.turn(0) == 0  # there is more to do, but the loop's other tasks come first
    sent = endpoint.port.sent
    assert 16 <= len(sent) <= 100
    assert numbers(endpoint.port, "quiet") == [0, 1, 2]
    assert [key for key, _ in sent].index("quiet") <= 16
    for _ in range(3000):
        if endpoint.turn(0) != 0:
            break
    assert busy.session.n_built == 10000 and busy.session.stats.OutDrops == 0


def test_a_session_that_has_become_idle_is_not_woken_by_its_old_timer():
    endpoint, link = fake(0)
    link.session.wait_ms = 20
    assert endpoint.turn(0) == 20
    link.session.wait_ms = -1
    endpoint.kick(link)
    endpoint.turn(10)
    n_turns = link.n_turns
    assert endpoint.turn(20) == -1 and link.n_turns == n_turns


def test_two_busy_sessions_share():
    endpoint, a = fake(1000, "a")
    _, b = fake(1000, "b", endpoint)
    while a.session.n_built < 500:
        assert endpoint.turn(0) == 0
    assert abs(a.session.n_built - b.session.n_built) <= 32


def test_a_socket_that_stays_full_is_a_dead_path():
    endpoint, link = fake(2)
    _, other = fake(1, "b", endpoint)
    endpoint.port.room = 0
    assert endpoint.turn(0) == -1 and endpoint.is_full
    dead_ms = CONFIG.dead_ms
    for now_ms in (1, 1000, dead_ms - 1):
        endpoint.unblocked()
        assert endpoint.turn(now_ms) == -1 and other.session.n_built == 0
    assert endpoint.turn(dead_ms) == -1 and not endpoint.is_full
    assert link.session.n_built == 2 and link.session.stats.OutDrops == 2
    assert other.session.n_built == 1 and other.session.stats.OutDrops == 1
    endpoint.port.room = None  # there is room again
    link.session.n_out += 1
    endpoint.kick(link)
    assert endpoint.turn(dead_ms + 1) == -1 and numbers(endpoint.port, "a") == [2]


def test_a_full_socket_is_back_pressure_not_loss():
    endpoint, link = fake(40)
    endpoint.port.room = 7
    assert endpoint.turn(0) == -1
    assert endpoint.is_full and link.session.n_built == 8
    assert endpoint.turn(0) == -1 and link.session.n_built == 8  # nothing is built meanwhile
    endpoint.unblocked()  # a false alarm
    assert endpoint.is_full
    endpoint.port.room = None
    endpoint.unblocked()
    assert not endpoint.is_full
    for _ in range(5):
        endpoint.turn(0)
    assert numbers(endpoint.port, "a") == list(range(40))
    assert link.session.stats.OutDrops == 0


def test_a_refused_datagram_is_a_loss():
    endpoint, link = fake(20)
    endpoint.port.answer = -1
    endpoint.turn(0)
    endpoint.turn(0)
    assert link.session.stats.OutDrops == 20 and not endpoint.is_full


def test_refused_after_full():
    endpoint, link = fake(1)
    endpoint.port.room = 0
    endpoint.turn(0)
    endpoint.port.room = None
    endpoint.port.answer = -1
    endpoint.unblocked()
    assert not endpoint.is_full and link.session.stats.OutDrops == 1


def test_a_session_that_promises_too_much_does_not_spin():
    endpoint, link = fake(0)
    link.session.wait_ms = 0  # output() has nothing all the same
    assert endpoint.turn(0) == 1
    assert endpoint.turn(0) == 1
    assert endpoint.turn(1) == 1


def test_the_links_own_deadline():
    endpoint, link = fake(0)
    link.deadline_ms = 50
    assert endpoint.turn(0) == 50
    link.session.wait_ms = 20
    endpoint.kick(link)
    assert endpoint.turn(10) == 20
    assert endpoint.turn(30) == 20  # 50 comes before 30 + 20... both at once
    link.deadline_ms = None
    link.session.wait_ms = -1
    assert endpoint.turn(50) == -1


def test_touch_gives_a_turn_only_when_one_is_due_sooner():
    endpoint, link = fake(0)
    session = link.session
    endpoint.turn(0)
    for wait_ms, due_ms, is_ready in (
        (-1, None, False),  # idle before and after
        (0, None, True),
        (20, None, True),
        (20, 120, False),
        (30, 120, False),
        (19, 120, True),
        (-1, 120, False),
    ):
        session.wait_ms = wait_ms
        link.due_ms = due_ms
        endpoint.touch(link, 100)
        assert link.is_ready == is_ready, (wait_ms, due_ms)
        session.wait_ms = -1
        endpoint.turn(100)


def test_a_closed_session_leaves_once_and_takes_the_socket_along():
    endpoint, link = fake(0)
    endpoint.turn(0)
    link.session.state = CLOSED
    endpoint.kick(link)
    endpoint.turn(1)
    endpoint.kick(link)
    endpoint.turn(2)
    assert link.n_closed == 1 and endpoint.links == {}
    assert endpoint.is_closed and endpoint.port.is_closed


# real sessions behind a listener


class Net:
    """One server endpoint and any number of clients, joined without a clock of their own."""

    def __init__(self, **options):
        self.config = Config(**options)
        self.now_ms = PERIOD - 50
        listener = Listener(self.config, fill)
        self.server = Endpoint(FakePort(), listener.buffer_bytes, listener, self.accept)
        self.accepted = []
        self.clients = {}

    def accept(self, session, key):
        link = FakeLink(self.server, session, key)
        self.accepted.append(link)
        return link

    def client(self, key, conv=7):
        session = Session(conv, self.config, fill, self.now_ms)
        endpoint = Endpoint(FakePort(), session.buffer_bytes)
        link = FakeLink(endpoint, session)
        endpoint.attach(link)
        self.clients[key] = endpoint
        return link

    def run(self, n_ms=100):
        """Let time pass, carrying datagrams."""
        for _ in range(n_ms):
            for key, client in list(self.clients.items()):
                self.turns(client)
                for _, data in client.port.sent:
                    self.deliver(self.server, data, key)
                client.port.sent = []
            self.turns(self.server)
            for key, data in self.server.port.sent:
                if key in self.clients:
                    self.deliver(self.clients[key], data, None)
            self.server.port.sent = []
            self.now_ms = (self.now_ms + 1) % PERIOD

    def turns(self, endpoint):
        while endpoint.turn(self.now_ms) == 0:
            pass

    def deliver(self, endpoint, data, key):
        endpoint.rx[: len(data)] = data
        endpoint.input(len(data), key, self.now_ms)


def test_sessions_that_are_idle_are_in_no_timer():
    net = Net(mode="fast3")
    for i in range(30):
        link = net.client(i, conv=i)
        link.session.send(b"x" * (100 * i + 1))
    net.run(200)
    assert len(net.accepted) == 30 and len(net.server.links) == 30
    assert sum(link.session.stats.InSegs for link in net.accepted) >= 30
    for endpoint in list(net.clients.values()) + [net.server]:
        net.run(1)
        assert endpoint.turn((net.now_ms + 100000) % PERIOD) == -1
        assert len(endpoint._timers) == 0
    n_turns = sum(link.n_turns for link in net.accepted)
    net.run(100)
    assert sum(link.n_turns for link in net.accepted) == n_turns


def test_data_arrives_through_endpoints():
    net = Net(mode="fast3", crypt="none")
    link = net.client("c")
    data = bytes(range(256)) * 40
    assert link.session.send(data) == len(data)
    net.run(50)
    buf = bytearray(len(data))
    n = 0
    while n < len(data):
        k = net.accepted[0].session.recv_into(memoryview(buf)[n:])
        assert k
        n += k
    assert bytes(buf) == data and link.session.unacked_bytes == 0


def test_a_restarted_peer_gets_a_new_session_and_the_old_one_an_error():
    net = Net(mode="fast3")
    net.client("c", conv=1).session.send(b"old")
    net.run(20)
    net.client("c", conv=2).session.send(b"new")
    net.run(20)
    old, new = net.accepted
    assert old.session.state == CLOSED and old.session.error == errno.ECONNRESET
    assert old.n_closed == 1 and new.n_closed == 0
    assert list(net.server.links.values()) == [new] and new.session.readable == 3
    assert list(net.server.listener.sessions.values()) == [new.session]
    assert not net.server.listener.aborted


def test_shutdown_waits_for_the_last_session_and_takes_no_new_ones():
    net = Net(mode="fast3")
    link = net.client("c")
    link.session.send(b"x")
    net.run(20)
    ended = []
    net.server.on_closed = lambda: ended.append(1)
    net.server.shutdown()
    net.client("d", conv=9).session.send(b"y")
    net.run(20)
    assert len(net.accepted) == 1 and not ended and not net.server.is_closed
    net.accepted[0].session.close(net.now_ms)
    net.server.kick(net.accepted[0])
    net.run(1000)
    assert ended == [1] and net.server.is_closed and not net.server.listener.sessions


def test_close_aborts_what_is_open():
    net = Net()
    link = net.client("c")
    link.session.send(b"x")
    net.run(20)
    net.server.close()
    assert net.accepted[0].session.error == errno.ECONNABORTED
    assert net.accepted[0].n_closed == 1 and not net.server.listener.sessions
    link.endpoint.close()
    assert link.session.state == CLOSED and link.n_closed == 1


def test_shutdown_without_sessions_closes_at_once():
    net = Net()
    ended = []
    net.server.on_closed = lambda: ended.append(1)
    net.server.shutdown()
    assert ended == [1] and net.server.port.is_closed
    net.server.close()
    assert ended == [1]


def test_garbage_from_strangers_makes_no_session():
    net = Net(max_sessions=2, backlog=2)
    for n in (0, 1, 5, 23, 24, 100, 1500):
        net.deliver(net.server, b"\xff" * n, ("s", n))
    assert not net.accepted and not net.server.links
    for i in range(5):
        net.client(i, conv=i).session.send(b"x")
    net.run(5)
    assert len(net.accepted) == 2 == len(net.server.links)
    assert net.server.listener.stats.BacklogDrops > 0
