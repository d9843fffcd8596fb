"""What a session's counters say of its settings. So far: a large window that is sent at once.

The wire allows it and it comes through, but where a queue on the way is shorter than the window
most of what is sent is lost there, from others' traffic too. `Endpoint.watch` looks, where no
controller holds anything back.
"""

import sys

from ._compat import MICROPYTHON, const

MIN_SEGS = const(1000)  # sent, before anything is said
_MIN_PCT = const(25)  # of them, sent again


def advice(session):
    """Return a sentence about the session's settings, or None if there is nothing to say."""
    config, stats = session.config, session.stats
    n_segs, n_again = stats.OutSegs, stats.RetransSegs
    if config.cc != "none" or n_segs < MIN_SEGS or n_again < n_segs // 100 * _MIN_PCT:
        return None
    return (
        "%d of %d segments were sent again: with cc='none' (pacing=False) a window of sndwnd=%d"
        " leaves at once, and a queue on the way that is shorter drops the rest. Leave pacing on,"
        " or give a smaller sndwnd, unless the path itself loses so much."
        % (n_again, n_segs, config.sndwnd)
    )


def look(endpoint, link):
    """Tell what is wrong with a link's settings, once for each socket; or look again later."""
    link.advise_at_segs = 2 * link.session.stats.OutSegs
    sentence = advice(link.session)
    if sentence or endpoint.is_advised:
        link.advise_at_segs = 0
    if sentence and not endpoint.is_advised:
        endpoint.is_advised = True
        tell(sentence)


def tell(sentence):
    """Warn: by logging (logger "kcp"), on MicroPython on stderr."""
    if MICROPYTHON:
        print("kcp: " + sentence, file=sys.stderr)
    else:
        import logging

        logging.getLogger("kcp").warning(sentence)
