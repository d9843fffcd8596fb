"""What a session will hold at most: `Config.memory`. The sum of what `Session.reserve` allocates,
in the units of the heap: blocks of 4 machine words, and a block for every bytearray object."""

import sys

_IS_64 = sys.maxsize > 0x7FFFFFFF
_WORD = 8 if _IS_64 else 4
_BLOCK = 4 * _WORD
_OBJECTS = (
    6656 if _IS_64 else 3328
)  # session, arq, controller, pacer, stats, stream, endpoint: their dicts
_MIN_BUFFER = 1536
_MAX_DATAGRAM = 1500
_OVERHEAD = 24
_MAX_COPIES = 4  # `_fec_auto`
_FEC_GROUPS = 5  # of the peer's packets (`fec`)
_TX_COLUMNS = 3 * _WORD + 20  # of one slot of the send ring (`_arq_snd`)
_RX_COLUMNS = _WORD + 3


def _blocks(n):
    """The bytes that n bytes take in the heap."""
    return (n + _BLOCK - 1) // _BLOCK * _BLOCK


def _chunk(n):
    return _BLOCK + _blocks(n)


def _frame(crypt):
    """What the crypt puts before and behind the rest of a datagram."""
    if crypt == "null":
        return 0, 0
    if crypt[-4:] == "-gcm" or crypt[-9:] == "-poly1305":
        return 12, 16
    return 20, 0


def _pow2(n):
    p = 16  # no ring is smaller
    while p < n:
        p <<= 1
    return p


def session_bytes(config, takes_fec=None) -> int:
    """Return the bytes that a session of this config holds at most (see `Config.memory`)."""
    head, tail = _frame(config.crypt)
    if config.datashard:
        head += 8
    mtu = config.mtu - head - tail
    n_tx, n_rx = 2 * config.sndwnd, 2 * config.rcvwnd
    n_acks = max(64, 2 * (mtu // _OVERHEAD), min(n_rx, 1024))
    n_bytes = _OBJECTS + 2 * _chunk(max(_MIN_BUFFER, head + tail + 2 * mtu))
    n_bytes += n_tx * _chunk(mtu) + n_rx * _chunk(mtu - _OVERHEAD)
    n_bytes += _pow2(n_tx) * (_TX_COLUMNS + _WORD) + _pow2(n_rx) * (_RX_COLUMNS + _WORD)
    n_bytes += _pow2(n_acks) * 2 * _WORD
    if config.datashard:
        n_bytes += _encoder_bytes(config.datashard, config.parityshard, mtu)
    if config.fec == "auto":
        n_bytes += _auto_bytes(config.datashard, config.parityshard, mtu)
    if takes_fec or (takes_fec is None and config.datashard):
        n_bytes += _decoder_bytes(config)
    return n_bytes


def _encoder_bytes(data, parity, mtu):
    tables = data * (parity * _chunk(256) + _blocks((parity + 2) * _WORD) + _WORD)
    return tables + parity * (2 * _BLOCK + _chunk(mtu + 2)) + 12 * _BLOCK


def _auto_bytes(data, parity, mtu):
    """What AutoEncoder has on top: the rows by number of parity packets, and the copies."""
    rows = 0
    for n in range(parity + 1):
        rows += data * (_blocks((n + 2) * _WORD) + _WORD) + _blocks((n + 2) * _WORD) + 4 * _BLOCK
    return rows + _MAX_COPIES * (_chunk(mtu + 2) + _BLOCK) + 170 * _BLOCK


def _decoder_bytes(config):
    n_shards = config.datashard + config.parityshard
    groups = _FEC_GROUPS * (4 * _BLOCK + 2 * _blocks((n_shards + 4) * _WORD))
    n_kept = config.max_fec_bytes // _MAX_DATAGRAM
    kept = config.max_fec_bytes + n_kept * 2 * _BLOCK
    return kept + groups + 4 * _chunk(_MAX_DATAGRAM) + 3 * _chunk(256) + 40 * _BLOCK
