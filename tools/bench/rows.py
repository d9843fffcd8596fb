"""What is measured: the rows of the table."""

FEC = {"fec": (10, 3)}
AES = {"crypt": "aes-128"}

KCP_GO = ("kcp-go",)
#: Packages without FEC and ciphers of kcp-go's kind; ours is then on CPython.
PYPI = ("PyPI kcp", "PyPI aiokcp", "PyPI siokcp")

CRYPTS = (
    "none",
    "xor",
    "salsa20",
    "aes-128",
    "aes-192",
    "aes-256",
    "aes-128-gcm",
    "aes-192-gcm",
    "aes-256-gcm",
    "chacha20-poly1305",
    "sm4",
    "twofish",
    "blowfish",
    "cast5",
    "3des",
    "tea",
    "xtea",
)


class Row:
    """One measurement. unit: of its rates; peers: names of ends to compare with."""

    def __init__(self, name, unit, peers=KCP_GO):
        self.name, self.unit, self.peers = name, unit, peers

    def warm_up(self, end, seconds):
        """Find out what run() will need to know."""


class Operation(Row):
    """One process that repeats an operation (programs/operation.py says what one is)."""

    def run(self, end, seconds):
        """The rate at this end."""
        return end.operation(self.name, seconds)


class Transfer(Row):
    """Two processes of the same end over loopback: sink or echo, in writes of 64 KiB."""

    def __init__(self, name, kind, options, peers=KCP_GO):
        super().__init__(name, "MB/s", peers)
        self._kind, self._options = kind, options

    def warm_up(self, end, seconds):
        """Two short ones say how many bytes make a long one."""
        for _ in range(2):
            end.transfer(self._kind, self._options, seconds / 4)

    def run(self, end, seconds):
        """MB/s at this end."""
        return end.transfer(self._kind, self._options, 3 * seconds)


ROWS = (
    Transfer("sink-64k", "sink", {}, KCP_GO + PYPI),
    Transfer("sink-64k-aes-128", "sink", AES),
    Transfer("sink-64k-fec", "sink", FEC),
    Transfer("echo-64k", "echo", {}),
    Transfer("echo-64k-aes-128", "echo", AES),
    Transfer("echo-64k-fec", "echo", FEC),
    Operation("arq", "MB/s", KCP_GO + PYPI),
    Operation("flush", "k/s"),
    Operation("fec-encode", "MB/s"),
    Operation("fec-decode-1", "MB/s"),
    Operation("fec-decode-3", "MB/s"),
    *(Operation(f"{verb}-{crypt}", "MB/s") for crypt in CRYPTS for verb in ("seal", "open")),
    Operation("crc32", "MB/s"),
    Operation("nonce", "k/s"),
)

#: What stands below the table.
LEGEND = """\
Twins of our hot code: plain Python, MicroPython's machine code (viper), C (native).
Rates: higher is better; ratio = ours / peer. MB = 10^6 bytes, k/s = thousands per second.
sink-64k, echo-64k: kcp-go's benchmarks between two processes over loopback: one stream, writes
of 64 KiB, windows 1024, nodelay 1,10,2,1, mtu 1400; plain, with aes-128, with FEC 10/3; echo
counts one direction. arq: two protocol objects in memory, messages of 64 KiB, virtual clock
(native: two sessions without a crypt layer, as C has no others; those of Go and Python are bare).
flush: a pass with 1024 segments in flight, none due. fec-*: data of 10+3 groups of 1400-byte
packets; decode with the first 1 or 3 data packets missing. seal-*, open-*: a datagram of 1400
bytes with nonce and checksum or tag. crc32: of 1380 bytes. nonce: 16 random bytes. PyPI
packages: their raw objects (C), in a poll loop of our own for sink-64k."""
