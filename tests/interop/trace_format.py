"""What a trace of `kcppeer trace` consists of, and how to read it; on both runtimes.

A trace is written by `kcppeer trace`, one line per event, times in ms from the start:

    S seed= number= conv= start_ts=   a schedule begins; start_ts: kcp-go's clock at its start
    E end= mtu= ... max_queue=        endpoint 0 or 1 begins: its settings, as Arq names them
    s TIME BYTES RESULT               Send: the next BYTES of the endpoint's pattern
    u TIME                            Update
    i TIME REGULAR RESULT DATAGRAM    Input; REGULAR 0: recovered by FEC
    r TIME BYTES RESULT CRC           Recv into a buffer of BYTES; CRC-32 of what it gave
    w TIME SND RCV                    WndSize
    m TIME MTU                        SetMtu
    n TIME NODELAY INTERVAL RESEND NC   NoDelay
    o DATAGRAM                        emitted by the call above
    q name=value ...                  the state after the call above

DATAGRAM is a list of segments, each the hex of a 24-byte header, followed by @POSITION if it has a
payload, which is then found there in the sender's pattern; a last !HEX is bytes as they are.
"""

from binascii import crc32, hexlify, unhexlify

HEADER_BYTES = 24
PUSH, ACK, WASK, WINS = 81, 82, 83, 84
PATTERN_BYTES = 4093


def make_pattern(x):
    """The content that an endpoint sends: a period of pseudo-random bytes, twice."""
    one = bytearray(PATTERN_BYTES)
    for i in range(PATTERN_BYTES):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        one[i] = x >> 16 & 0xFF
    return bytes(one) * 2


PATTERNS = (make_pattern(1), make_pattern(2))


def pattern_at(end, at, n):
    """n bytes from position `at` of what endpoint `end` sends."""
    at %= PATTERN_BYTES
    pattern = PATTERNS[end]
    while len(pattern) < at + n:
        pattern += pattern
    return pattern[at : at + n]


def u32(buf, off):
    return int.from_bytes(buf[off : off + 4], "little")


def put_u32(buf, off, value):
    buf[off : off + 4] = value.to_bytes(4, "little")


def segments(buf, n, conv):
    """Yield (offset, cmd, payload bytes) of the segments that an Input would go through."""
    off = 0
    while n - off >= HEADER_BYTES and u32(buf, off) == conv:
        cmd, size = buf[off + 4], u32(buf, off + 20)
        if size > n - off - HEADER_BYTES or not PUSH <= cmd <= WINS:
            return
        yield off, cmd, size
        off += HEADER_BYTES + size


def datagram(tokens, sender):
    """The bytes that a trace's DATAGRAM stands for."""
    out = bytearray()
    for token in tokens:
        if token[0] == "!":
            out += unhexlify(token[1:])
            continue
        header, _, at = token.partition("@")
        header = unhexlify(header)
        out += header
        if at:
            out += pattern_at(sender, int(at), u32(header, 20))
    return out


def decode(buf, conv):
    """A datagram in words, one segment per line."""
    lines, end = [], 0
    for off, cmd, n in segments(buf, len(buf), conv):
        end = off + HEADER_BYTES + n
        name = ("PUSH", "ACK", "WASK", "WINS")[cmd - PUSH]
        line = "  %-4s frg=%d wnd=%d ts=%d sn=%d una=%d len=%d" % (
            name,
            buf[off + 5],
            buf[off + 6] | buf[off + 7] << 8,
            u32(buf, off + 8),
            u32(buf, off + 12),
            u32(buf, off + 16),
            n,
        )
        if n:
            line += " crc=%08x" % crc32(buf[off + HEADER_BYTES : end])
        lines.append(line)
    if end < len(buf) or not buf:
        lines.append("  (other bytes: %s)" % hexlify(buf[end:]).decode())
    return "\n".join(lines)


def parse_fields(words):
    """{name: int} of name=value words."""
    fields = {}
    for word in words:
        name, _, value = word.partition("=")
        fields[name] = int(value)
    return fields
