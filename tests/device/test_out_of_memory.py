# upy: heapsize=600k arm=no twins=python
"""What a session does when the heap is full: it says so, and goes on when there is room again."""

import gc

import micropython

from kcp.config import Config
from kcp.session import Session


def fill(view):
    for i in range(len(view)):
        view[i] = i


def of_fresh_session(call, **options):
    """What call(session) raised, if the heap was locked meanwhile."""
    session = Session(7, Config(mtu=1400, **options), fill, 0)
    raised = None
    gc.collect()
    micropython.heap_lock()
    try:
        call(session)
    except Exception as error:
        raised = type(error)
    finally:
        micropython.heap_unlock()
    return session, raised


def test_send_does_not_take_it_for_a_full_queue():
    data = bytes(1000)
    session, raised = of_fresh_session(lambda session: session.send(data))
    assert raised is MemoryError
    assert session.unacked_bytes == 0
    assert session.send(data) == 1000


def test_nor_does_send_oob():
    data = bytes(100)
    session, raised = of_fresh_session(lambda session: session.send_oob(data), fec=(3, 1))
    assert raised is MemoryError
    assert session.send_oob(data)


def test_a_session_that_cannot_be_made():
    config = Config(mtu=1400, fec=(10, 3))
    Session(7, config, fill, 0)  # what it imports is there from here on
    raised = set()
    kept = []
    n_bytes = 1 << 15
    while n_bytes >= 256:  # ever less of the heap is free
        try:
            Session(7, config, fill, 0)
        except Exception as error:
            raised.add(type(error))
        try:
            kept.append(bytearray(n_bytes))
        except MemoryError:
            n_bytes >>= 1
    kept = None
    gc.collect()
    assert raised == {MemoryError}
