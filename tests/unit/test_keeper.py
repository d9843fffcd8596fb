"""Keep-alive and the idle limit, and what a session says about its end. Runs on both runtimes."""

from errno import ECONNRESET, ETIMEDOUT

from core_support import PUSH, WASK, WINS, carry, parse, raises, read_all, segment, session

from kcp.config import Config
from kcp.session import CLOSED, OPEN

DAY_MS = 24 * 3600 * 1000


def built(s, now_ms):
    """Pull all that is due; return the commands of its segments."""
    buf = bytearray(s.buffer_bytes)
    found = []
    while True:
        n = s.output(buf, now_ms)
        if n == 0:
            return found
        found += [one[0] for one in parse(bytes(buf[:n]))]


def said(s):
    """What its user is told."""
    error = raises(OSError, s.send, b"x")
    assert error.args == s.failure().args
    return error.args


def both(**options):
    """Two sessions that have exchanged something at 0 ms, and are quiet at 100 ms."""
    a, b = session(**options), session()
    a.send(b"hello")
    for now_ms in range(0, 101, 10):
        carry(a, b, now_ms)
        carry(b, a, now_ms)
    assert read_all(b) == b"hello" and a.unacked_bytes == 0
    return a, b


def test_off_it_costs_no_timer_and_loads_nothing():
    a, b = both()
    assert a.timeout(100) == b.timeout(100) == -1
    assert getattr(a, "_keeper", None) is None
    assert built(a, DAY_MS) == [] and a.state == OPEN


def test_a_silent_peer_is_asked_and_answers():
    a, b = both(keepalive_ms=5000)
    heard_ms = a.last_input_ms
    for _ in range(50):
        due_ms = heard_ms + 5000
        assert a.timeout(heard_ms + 100) == 4900
        assert built(a, due_ms - 1) == []
        questions = carry(a, b, due_ms)
        assert [one[0] for one in parse(questions[0])] == [WASK] and len(questions) == 1
        now_ms = due_ms
        answers = []
        while not answers:
            now_ms += 1
            answers = carry(b, a, now_ms)
        assert [one[0] for one in parse(answers[0])] == [WINS]
        heard_ms = a.last_input_ms
        assert heard_ms == now_ms <= due_ms + 10
    assert a.state == OPEN and b.timeout(now_ms) == -1


def test_whoever_is_heard_is_not_asked():
    a, b = both(keepalive_ms=1000)
    for now_ms in range(500, 20000, 500):
        b.send(b"news")
        carry(b, a, now_ms)
        assert WASK not in built(a, now_ms + 10)
        b.input(bytearray(segment(WINS, una=b.end_sn)), 24, now_ms + 20)


def test_no_answer_to_questions_is_death():
    a, _ = both(keepalive_ms=5000, dead_ms=12000)
    heard_ms = a.last_input_ms
    times = []
    now_ms = heard_ms
    while a.state == OPEN:
        wait_ms = a.timeout(now_ms)
        assert wait_ms > 0
        now_ms += wait_ms
        if WASK in built(a, now_ms):
            times.append(now_ms - heard_ms)
    assert times == [5000, 10000, 15000] and now_ms - heard_ms == 17000
    assert said(a) == (ETIMEDOUT, "keep-alive unanswered for 12000 ms (dead_ms)")
    assert a.timeout(now_ms) == -1


def test_nothing_heard_for_idle_ms_is_the_end():
    a, _ = both(idle_ms=30000)
    heard_ms = a.last_input_ms
    assert a.timeout(heard_ms) == 30000
    assert built(a, heard_ms + 29999) == [] and a.state == OPEN
    assert built(a, heard_ms + 30000) == [] and a.state == CLOSED
    assert said(a) == (ETIMEDOUT, "nothing heard for 30000 ms (idle_ms)")


def test_idle_with_keep_alive_ends_dead_ones_only():
    a, b = both(idle_ms=10000, keepalive_ms=4000)
    for now_ms in range(200, 60000, 10):
        carry(a, b, now_ms)
        carry(b, a, now_ms)
    assert a.state == OPEN
    now_ms = a.last_input_ms
    while a.state == OPEN:
        now_ms += a.timeout(now_ms)
        built(a, now_ms)
    assert now_ms == a.last_input_ms + 10000
    assert a.why == "nothing heard for 10000 ms (idle_ms)"


def test_data_that_is_not_answered_names_its_limit():
    a, _ = both(dead_ms=3000)
    a.send(bytes(777))
    now_ms = 200
    while a.state == OPEN:
        built(a, now_ms)
        now_ms += max(a.timeout(now_ms), 0)
    assert said(a) == (ETIMEDOUT, "777 bytes unanswered for 3000 ms (dead_ms)")
    assert a.loss(777).args == (
        ETIMEDOUT,
        "777 bytes were not acknowledged: 777 bytes unanswered for 3000 ms (dead_ms)",
    )


def test_a_close_that_took_too_long_names_its_limit():
    a, _ = both()
    a.send(b"lost")
    a.close(200, 700)
    built(a, 200)
    built(a, 900)
    assert a.state == CLOSED and a.lost_bytes == 4
    assert a.failure().args == (ETIMEDOUT, "closing took longer than 700 ms (linger_ms)")


def test_closing_is_not_kept_alive():
    a, b = both(keepalive_ms=1000, idle_ms=2000)
    b.send(b"last")
    carry(b, a, 110)
    a.close(120)
    assert 0 <= a.timeout(120) < 1000
    assert WASK not in built(a, 130)
    built(a, 5000)
    assert a.state == CLOSED and a.error is None


def test_switched_on_and_off_at_run_time():
    a, _ = both()
    a.set(keepalive_ms=2000)
    assert a.timeout(150) == a.last_input_ms + 2000 - 150
    a.set(keepalive_ms=0, idle_ms=9000)
    assert a.timeout(150) == a.last_input_ms + 9000 - 150
    a.set(idle_ms=0)
    assert a.timeout(150) == -1 and getattr(a, "_keeper", None) is None
    error = raises(ValueError, a.set, idle_ms=3000, keepalive_ms=2000)
    assert "twice keepalive_ms" in str(error) and getattr(a, "_keeper", None) is None
    assert "keepalive_ms" in str(raises(ValueError, Config, keepalive_ms=-1))
    assert "idle_ms" in str(raises(ValueError, Config, idle_ms="1"))


def test_an_aborted_session_says_why():
    a, _ = both()
    a.abort(ECONNRESET)
    assert said(a) == (ECONNRESET, "the session is over")


def test_the_clock_may_run_over_its_end():
    start_ms = (1 << 30) - 1000
    a = session(now_ms=start_ms, keepalive_ms=5000, idle_ms=20000)
    assert a.timeout(start_ms) == 5000
    assert built(a, 3999) == [] and built(a, 4000) == [WASK]
    assert a.timeout(4000) == 5000
    a.input(bytearray(segment(PUSH, data=b"x")), 25, 4100)
