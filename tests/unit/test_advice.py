# upy: heapsize=16m
"""The warning of a window that is sent at once and lost on the way (scenario T03)."""

from test_endpoint import CONFIG, FakePort, FakeSession, Net, fake

from kcp import Config, _advice
from kcp._compat import MICROPYTHON
from kcp.endpoint import Endpoint, Link

UNPACED = Config(pacing=False, sndwnd=512)


def counted(n_segs, n_again, config=UNPACED):
    """A session that has sent so much."""
    one = FakeSession()
    one.config = config
    one.stats.OutSegs, one.stats.RetransSegs = n_segs, n_again
    return one


def test_what_is_said_when():
    sentence = _advice.advice(counted(4000, 2000))
    assert "2000 of 4000 segments were sent again" in sentence and "sndwnd=512" in sentence
    assert "pacing" in sentence and len(sentence) < 300
    assert _advice.advice(counted(4000, 999)) is None  # losses happen
    assert _advice.advice(counted(999, 900)) is None  # too early
    for config in (CONFIG, Config(nc=0), Config(cc="rate", pacing=False)):
        assert _advice.advice(counted(4000, 2000, config)) is None
    assert _advice.advice(counted(4000, 2000, Config(cc="none"))) is not None


class Told:
    """Takes the place of `_advice.tell`."""

    def __enter__(self):
        self.sentences = []
        self._tell = _advice.tell
        _advice.tell = self.sentences.append
        return self.sentences

    def __exit__(self, *_exc):
        _advice.tell = self._tell


def turns(endpoint, link, n_segs, n_again):
    """The link's session has sent so much by now."""
    link.session.stats.OutSegs, link.session.stats.RetransSegs = n_segs, n_again
    endpoint.kick(link)
    endpoint.turn(0)


def test_an_endpoint_tells_it_once():
    with Told() as sentences:
        endpoint = Endpoint(FakePort(), 100)
        links = [Link(endpoint, counted(0, 0), key) for key in "ab"]
        for link in links:
            endpoint.attach(link)
        turns(endpoint, links[0], 1000, 100)  # all is well, so far
        turns(endpoint, links[0], 1500, 900)  # (not looked at each time)
        assert sentences == []
        turns(endpoint, links[0], 2000, 1000)
        assert len(sentences) == 1
        turns(endpoint, links[0], 9000, 8000)
        turns(endpoint, links[1], 9000, 8000)
        assert len(sentences) == 1 and links[1].advise_at_segs == 0


def test_who_paces_is_not_looked_at():
    with Told() as sentences:
        endpoint, link = fake()
        turns(endpoint, link, 9000, 8000)
        assert sentences == [] and link.advise_at_segs == 0
        link.session.config = UNPACED  # as Stream.set() does it
        endpoint.watch(link)
        turns(endpoint, link, 9000, 8000)
        assert len(sentences) == 1


def overrun(pacing):
    """Send 1.5 MB through a queue of 25 datagrams, one in a ms; the client's session."""
    net = Net(mode="fast3", sndwnd=512, rcvwnd=512, pacing=pacing)
    link = net.client("c")
    link.session.send(b"hello")
    net.run(20)
    server = net.accepted[0].session
    queue, deliver, got = [], net.deliver, bytearray(65536)

    def to_queue(endpoint, data, key):
        if endpoint is not net.server:
            deliver(endpoint, data, key)
        elif len(queue) < 25:
            queue.append(data)

    net.deliver = to_queue
    data, n_left = bytes(20000), 1500000
    while n_left > 0:
        n_left -= link.session.send(data)
        link.endpoint.kick(link)
        net.run(1)
        if queue:
            deliver(net.server, queue.pop(0), "c")
        while server.recv_into(got):
            pass
    return link.session


def test_t03_a_window_of_512_without_pacing_warns():
    with Told() as sentences:
        overrun(True)
        assert sentences == []
        session = overrun(False)
        assert len(sentences) == 1 and "sndwnd=512" in sentences[0]
        assert session.stats.RetransSegs > 500


if not MICROPYTHON:

    def test_it_is_logged():
        import logging

        records = []
        handler = logging.Handler()
        handler.emit = records.append
        logger = logging.getLogger("kcp")
        logger.addHandler(handler)
        try:
            _advice.tell("100 % of it")
        finally:
            logger.removeHandler(handler)
        assert [one.getMessage() for one in records] == ["100 % of it"]
        assert records[0].levelno == logging.WARNING
