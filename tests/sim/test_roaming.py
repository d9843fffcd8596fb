"""A session that goes on from another address, and who cannot make it: docs/lifecycle.md. Both
runtimes, over a path of 15 ms, in virtual time."""

# upy: heapsize=8m arm=no timeout=120

from sim.test_lifecycle import DELAY_MS, OPTIONS, World
from unit.core_support import arq_of

from kcp._roaming import MAX_PATHS, MAX_PER_SESSION
from kcp.config import Config
from kcp.listener import Listener
from kcp.session import OPEN, Session
from kcp_sim.rng import Rng

SECRET = {"crypt": "aes-128", "key": bytes(range(16))}
_rng = Rng(1, 15)


def fill(view):
    for i in range(len(view)):
        view[i] = _rng.below(256)


def give(session, data, now_ms):
    buf = bytearray(session.buffer_bytes)  # (ciphers take whole blocks)
    buf[: len(data)] = data
    session.input(buf, len(data), now_ms)


class Roam(World):
    """A World whose listener may have a question to send, and whose clients may move."""

    def start_server(self):
        options = dict(OPTIONS, **SECRET)
        options.update(self.options)
        self.listener = Listener(Config(roaming=True, **options), fill)
        self.got = b""
        self.asked = []  # (to, bytes): the questions
        self.answers = []  # datagrams to clients: (from, to, bytes)

    def start_client(self, key, conv, **options):
        merged = dict(OPTIONS, **SECRET)
        merged.update(options)
        client = self.clients[key] = Session(conv, Config(**merged), fill, self.now_ms)
        self.heard[key] = b""
        return client

    def move(self, old, new):
        """The client's packets come from another address from now on; what is on its way to the
        old one is lost. Nobody is told."""
        self.clients[new] = self.clients.pop(old)
        self.heard[new] = self.heard.pop(old)

    def put(self, key, data):
        session = super().put(key, data)
        roamer = self.listener.roamer
        if roamer is not None and roamer.question_bytes:
            question = bytes(roamer.buf[: roamer.question_bytes])
            self.asked.append((roamer.question_key, question))
            self.flying.append((self.now_ms + DELAY_MS, "server", roamer.question_key, question))
            roamer.question_bytes = 0
        return session

    def _arrive(self):
        while self.flying and self.flying[0][0] <= self.now_ms:
            _, source, target, data = self.flying.pop(0)
            if target == "server":
                self.seen.append((source, data))
                self.put(source, data)
            else:
                self.answers.append((source, target, data))
                if target in self.clients:
                    give(self.clients[target], data, self.now_ms)

    @property
    def stats(self):
        return self.listener.stats


def talked(**options):
    world = Roam(**options)
    client = world.start_client("a", 7)
    client.send(b"first")
    world.run(300)
    assert world.heard["a"] == b"first"
    return world, client


def state(session):
    """What a packet could change in a session."""
    state = [session.acked_sn, session.end_sn, session.next_sn, session.unacked_bytes]
    state += [session.last_input_ms, session.state, session.rtt_ms, session.stats.as_dict()]
    for name in ("snd_nxt", "rmt_wnd", "behind"):
        state.append(getattr(arq_of(session), name))
    return state


# moving


def test_a_client_that_moves_again_and_again_goes_on_without_loss():
    """T10, but every second, in the middle of a transfer both ways."""
    for crypt, size in (("aes-128", 100), ("aes-128-gcm", 200)):
        world = Roam(crypt=crypt)
        client = world.start_client(0, 7, crypt=crypt)
        session, n_sent, home = None, 0, 0
        for ms in range(0, 6500, 10):
            if ms and ms % 1000 == 0:
                world.move(home, home + 1)
                home += 1
            if client.snd_room_bytes >= size:
                n_sent += client.send(bytes([n_sent // size & 0xFF]) * size)
            world.run(10)
            world.seen, world.answers = [], []
            session = session or world.listener.sessions.get(0)
        world.run(3000)
        assert home == 6 and world.stats.RoamMoves == 6 and world.stats.PassiveOpens == 1
        assert list(world.listener.sessions.values()) == [session] and session.state == OPEN
        sent = b"".join([bytes([n & 0xFF]) * size for n in range(n_sent // size)])
        assert world.got == sent and world.heard[home] == sent and len(sent) > 300 * size
        assert client.error is None and client.unacked_bytes == 0


def test_it_takes_a_round_trip_and_what_was_under_way_is_sent_again_at_once():
    world, client = talked()
    session = world.listener.sessions["a"]
    client.send(b"x" * 5000)
    world.run(DELAY_MS + 5)
    world.move("a", "b")
    session.arq._rto = session.arq._rto.__class__("I", [20000] * len(session.arq._rto))
    client.probe()  # what rebind() does
    world.run(2 * DELAY_MS + DELAY_MS + 30)  # ask, question, answer; and the tick
    assert world.stats.RoamMoves == 1
    world.run(2 * DELAY_MS + 30)
    assert world.heard["b"] == b"first" + b"x" * 5000


def test_a_client_that_only_listens_is_found_by_its_keep_alive():
    world, client = talked()
    client.set(keepalive_ms=500)
    session = world.listener.sessions["a"]
    world.move("a", "b")
    session.send(b"news")
    world.run(3000)
    assert world.heard["b"] == b"firstnews" and world.stats.RoamMoves == 1


def test_a_session_that_nobody_has_accepted_may_move():
    world = Roam()
    world.echoes = False
    client = world.start_client("a", 7)
    listener = world.listener
    accept, listener.accept = listener.accept, lambda: None
    client.send(b"one")
    world.run(100)
    world.move("a", "b")
    client.send(b"two")
    world.run(500)
    session, key = accept()
    assert key == "b" and listener.sessions == {"b": session} and world.got == b"onetwo"
    assert accept() is None


def test_late_packets_from_the_old_address_move_nothing_back_and_open_nothing():
    world, client = talked()
    late = list(world.seen)
    world.move("a", "b")
    client.send(b"second")
    world.run(500)
    session = world.listener.sessions["b"]
    for key, data in late:
        assert key == "a" and world.put(key, data) is None
    world.run(500)
    assert world.listener.sessions == {"b": session} and world.stats.RoamMoves == 1
    session.abort()
    world.run(1)
    for key, data in late:  # and after its end
        assert world.put(key, data) is None
        assert world.put("b", data) is None
    assert world.listener.sessions == {} and world.stats.PassiveOpens == 1


def test_without_roaming_it_is_as_before():
    world, client = talked()
    world.listener.roamer = None
    world.move("a", "b")
    client.set(dead_ms=2000)
    client.send(b"second")
    world.run(2500)
    assert list(world.listener.sessions) == ["a"] and "(dead_ms)" in client.why
    assert world.stats.GhostDrops > 0 and world.stats.RoamMoves == world.stats.RoamDrops == 0


# who cannot


def test_a_replayed_capture_from_a_third_address_moves_nothing():
    """Every packet of both directions, once more, from somewhere else, at any pace."""
    for gap_ms in (0, 7, 200):
        world, client = talked()
        for n in range(30):
            client.send(bytes([n]) * 700)
            world.run(20)
        world.run(300)
        capture = [data for _, data in world.seen] + [data for _, _, data in world.answers]
        session = world.listener.sessions["a"]
        before = state(session)
        n_bytes = 0
        for data in capture:
            n_bytes += len(data)
            assert world.put("thief", data) is None
            assert sum(len(question) for _, question in world.asked) <= n_bytes
            world.run(gap_ms)
        assert state(session) == before and world.listener.sessions == {"a": session}
        assert world.stats.RoamMoves == 0 and world.stats.RoamDrops >= len(capture) // 2
        client.send(b"still here")
        world.run(300)
        assert world.heard["a"][-10:] == b"still here"


def test_the_question_itself_or_a_wrong_answer_is_no_answer():
    world, _ = talked()
    codec = world.listener.codec
    for n_try in range(40):
        world.put("thief", world.seen[-1][1])
        world.run(200)
        _, question = world.asked[-1]
        assert world.put("thief", question) is None  # sent back
        buf = bytearray(question) + bytearray(64)
        at = codec.open(buf, len(question))
        buf[at + 4] = 82  # an ACK, with one bit of the time stamp or of the number wrong
        buf[at + 8 + n_try % 8] ^= 1 << n_try // 8
        assert world.put("thief", bytes(buf[: codec.seal(buf, at + 24)])) is None
    assert world.stats.RoamMoves == 0 and len(world.asked) >= 40
    tokens = set()
    for _, question in world.asked:
        buf = bytearray(question) + bytearray(64)
        at = codec.open(buf, len(question))
        tokens.add(bytes(buf[at + 8 : at + 16]))
    assert len(tokens) >= 2, "a new question after a while"


def test_an_answer_counts_only_from_where_the_question_went():
    """A thief who hands the question to the client gets nothing by it; nor does one who sends the
    answer of another address from his own."""
    world, client = talked()
    world.put("thief", world.seen[-1][1])
    _, question = world.asked[-1]
    give(client, question, world.now_ms)
    n_seen = len(world.seen)
    world.run(200)
    assert len(world.seen) > n_seen, "the client answers, from its own address"
    assert list(world.listener.sessions) == ["a"] and world.stats.RoamMoves == 0
    world.put("other thief", world.seen[-2][1])  # is asked another question
    answer = world.seen[-1][1]
    assert world.put("other thief", answer) is None and world.stats.RoamMoves == 0


def test_who_forwards_everything_is_on_the_path_and_only_as_long_as_he_does():
    """Nothing on this wire can tell such a one from a NAT; the client's next packet ends it."""
    world, client = talked()
    world.put("thief", world.seen[-1][1])
    _, question = world.asked[-1]
    give(client, question, world.now_ms)
    world._pull(client, "a", "nowhere")  # what the client answers ...
    world.run(50)
    buf = bytearray(2000)
    give(client, question, world.now_ms)
    n = 0
    while not n:
        world.now_ms += 1
        n = client.output(buf, world.now_ms)
    world.put("thief", bytes(buf[:n]))  # ... comes from the thief
    assert list(world.listener.sessions) == ["thief"] and world.stats.RoamMoves == 1
    client.send(b"me again")
    world.run(500)
    assert list(world.listener.sessions) == ["a"] and world.stats.RoamMoves == 2
    assert world.heard["a"] == b"firstme again"


def test_an_address_that_has_a_session_is_refused():
    world, _ = talked()
    world.start_client("b", 8).send(b"other")
    world.run(300)
    other = world.listener.sessions["b"]
    world.put("b", [data for key, data in world.seen if key == "a"][-1])
    world.run(100)
    assert world.asked == [] and world.listener.sessions["b"] is other
    assert world.stats.RoamDrops == 1 and other.state == OPEN


def test_an_address_that_gets_a_session_while_it_is_asked_is_refused():
    world, client = talked()
    session = world.listener.sessions["a"]
    world.move("a", "b")
    client.probe()
    world.run(DELAY_MS + 12)  # the question is on its way
    assert world.asked and world.asked[-1][0] == "b"
    other = Session(8, client.config, fill, world.now_ms)
    other.send(b"from the same address")
    buf = bytearray(other.buffer_bytes)
    n = other.output(buf, world.now_ms)
    world.put("b", bytes(buf[:n]))
    second = world.listener.sessions["b"]
    assert second is not session
    world.run(300)
    assert world.stats.RoamMoves == 0
    assert world.listener.sessions["a"] is session and world.listener.sessions["b"] is second
    world.listener.remove("a", session, world.now_ms)
    other.probe()
    n = other.output(buf, world.now_ms + 100)
    world.put("c", bytes(buf[:n]))  # (raised KeyError)


def test_the_question_is_old_to_the_client_whatever_the_numbers():
    for first in (0, 0x3FFFFFF0, 0x80000000, 0xC0000000, 0xFEFFFFFF, 0x1FFFFFFF0):
        world, client = talked()
        session = world.listener.sessions["a"]
        behind = session.arq.snd_una
        for arq, names in (
            (session.arq, ("snd_una", "snd_nxt", "_snd_new", "_snd_end", "_ack_hi", "_dup_first")),
            (client.arq, ("rcv_nxt", "_rcv_q")),
        ):
            for name in names:
                setattr(arq, name, first + behind)
        session.arq._una_new = first + behind
        nxt = client.arq.rcv_nxt
        world.move("a", "b")
        client.probe()
        world.run(200)
        assert world.stats.RoamMoves == 1, hex(first)
        assert client.arq.rcv_nxt == nxt


def test_a_conversation_that_is_under_way_begins_nowhere_else():
    world, client = talked()
    double = world.start_client("b", 7)
    double.send(b"mine")
    world.run(1000)
    assert world.got == b"first" and world.stats.PassiveOpens == 1
    client.close(world.now_ms)
    world.listener.sessions["a"].close(world.now_ms)
    world.run(2000)
    assert world.heard["b"] == b"mine", "when it is over"


def test_many_addresses_are_bounded_and_leave_the_session_alone():
    world, client = talked()
    packet = world.seen[-1][1]
    paths = world.listener.roamer._paths
    for n in range(1000):
        world.put(("spoofed", n), packet)
        assert len(paths) <= min(MAX_PER_SESSION, MAX_PATHS)
        if n % 10 == 0:
            world.run(1)
    assert len(world.asked) == MAX_PER_SESSION and world.stats.RoamDrops == 1000
    world.move("a", "b")  # no place for it now ...
    client.send(b"second")
    world.run(1000)
    assert list(world.listener.sessions) == ["a"]
    world.run(8000)  # ... but the places are given back
    assert world.heard["b"] == b"firstsecond" and world.stats.RoamMoves == 1
    assert len(paths) == 0


def test_the_places_of_a_listener_are_bounded():
    world = Roam()
    n_clients = MAX_PATHS + 5
    for n in range(n_clients):
        world.start_client(n, n).send(b"x")
    world.run(200)
    for source, data in list(world.seen):
        world.put(("elsewhere", source), data)
    assert len(world.listener.roamer._paths) <= MAX_PATHS
    for session in list(world.listener.sessions.values()):
        session.abort()
    world.run(1)
    assert not world.listener.roamer._paths and not world.listener.roamer._homes


def test_a_crypt_that_proves_something_is_needed():
    for crypt in ("null", "none", "xor", "salsa20"):
        key = None if crypt[0] == "n" else bytes(32)
        try:
            Config(roaming=True, crypt=crypt, key=key)
        except ValueError as error:
            assert "roaming needs a crypt" in str(error) and crypt in str(error)
        else:
            raise AssertionError(crypt)
    assert Config(roaming=True, **SECRET).roaming
