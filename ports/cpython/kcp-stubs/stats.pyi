NAMES: tuple[str, ...]
N_KCP_GO: int
ACTIVE: str
PASSIVE: str
LISTENER: str

class Counts:
    def reset(self) -> None: ...
    def as_dict(self) -> dict[str, int]: ...
    def add(self, other: Counts) -> None: ...
    def copy(self) -> Stats: ...
    def row(self) -> list[str]: ...
    def csv_row(self, unix_s: int) -> str: ...

class Stats(Counts):
    BytesSent: int
    BytesReceived: int
    MaxConn: int
    ActiveOpens: int
    PassiveOpens: int
    CurrEstab: int
    InErrs: int
    InCsumErrors: int
    KCPInErrors: int
    InPkts: int
    OutPkts: int
    InSegs: int
    OutSegs: int
    InBytes: int
    OutBytes: int
    RetransSegs: int
    FastRetransSegs: int
    EarlyRetransSegs: int
    LostSegs: int
    RepeatSegs: int
    FECFullShards: int
    FECParityShards: int
    FECErrs: int
    FECRecovered: int
    FECShardSet: int
    FECShardMin: int
    RingBufferSndQueue: int
    RingBufferRcvQueue: int
    RingBufferSndBuffer: int
    OOBPackets: int
    OutDrops: int
    BacklogDrops: int
    GhostDrops: int
    RoamMoves: int
    RoamDrops: int
    MemoryDrops: int
    OOBDrops: int
    AckDrops: int
    is_past: bool

    def __init__(self) -> None: ...

def header() -> list[str]: ...
def csv_header() -> str: ...
def total() -> Stats: ...
def reset_total() -> None: ...
def enter(stats: Stats, kind: str) -> None: ...
def leave(stats: Stats) -> None: ...
def read_late(n: int) -> None: ...
