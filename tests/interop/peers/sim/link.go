package sim

// LinkOptions are the parameters of one direction; lib/kcp_sim/link.py defines every one of them.
type LinkOptions struct {
	DelayMs      int64    `json:"delay_ms"`
	JitterMs     int      `json:"jitter_ms"`
	LossPct      int      `json:"loss_pct"`
	LossBurst    int      `json:"loss_burst"`
	GE           []int    `json:"ge"`
	ReorderPct   int      `json:"reorder_pct"`
	DupPct       int      `json:"dup_pct"`
	ReplayPct    int      `json:"replay_pct"`
	ReplayMs     int      `json:"replay_ms"`
	CorruptPct   int      `json:"corrupt_pct"`
	CorruptBurst int      `json:"corrupt_burst"`
	RateKbps     int64    `json:"rate_kbps"`
	Queue        int      `json:"queue"`
	Overhead     int      `json:"overhead"`
	Blackhole    [][2]int `json:"blackhole"`
	RxQueue      int      `json:"rx_queue"`
	RxPollMs     int64    `json:"rx_poll_ms"`
}

// LinkCounters count datagrams of one direction.
type LinkCounters struct {
	Sent       int `json:"sent"`
	QueueDrops int `json:"queue_drops"`
	Blackholed int `json:"blackholed"`
	Lost       int `json:"lost"`
	Corrupted  int `json:"corrupted"`
	Duplicated int `json:"duplicated"`
	Replayed   int `json:"replayed"`
	RxDrops    int `json:"rx_drops"`
	Delivered  int `json:"delivered"`
}

// bursts is a percentage, but never more than limit in a row (0 = any).
type bursts struct{ pct, limit, nInRow int }

func (b *bursts) hit(rng *Rng) bool {
	if rng.Below(100) < b.pct && (b.limit == 0 || b.nInRow < b.limit) {
		b.nInRow++
		return true
	}
	b.nInRow = 0
	return false
}

type arrival struct {
	ms   int64
	data []byte
}

// Link is one direction of a path.
type Link struct {
	LinkOptions
	Counters    LinkCounters
	rng         *Rng
	losses      bursts
	corruptions bursts
	bad         bool
	freeBits    int64
	startsBits  []int64
	lookMs      int64
	nSeen       int
}

// NewLink makes direction `stream` (0 or 1) of a path.
func NewLink(o LinkOptions, seed, stream uint32) *Link {
	return &Link{
		LinkOptions: o, rng: NewRng(seed, stream), lookMs: -1,
		losses:      bursts{pct: o.LossPct, limit: o.LossBurst},
		corruptions: bursts{pct: o.CorruptPct, limit: o.CorruptBurst},
	}
}

// send decides what becomes of a datagram (which it may alter) and returns what arrives.
func (l *Link) send(nowMs int64, data []byte) []arrival {
	l.Counters.Sent++
	leaveMs, ok := l.transmit(nowMs, len(data))
	if !ok {
		l.Counters.QueueDrops++
		return nil
	}
	for _, hole := range l.Blackhole {
		if int64(hole[0]) <= nowMs && nowMs < int64(hole[1]) {
			l.Counters.Blackholed++
			return nil
		}
	}
	if (l.LossPct > 0 && l.losses.hit(l.rng)) || (l.GE != nil && l.gilbertElliott()) {
		l.Counters.Lost++
		return nil
	}
	if l.CorruptPct > 0 && l.corruptions.hit(l.rng) {
		l.Counters.Corrupted++
		place := l.rng.Below(len(data))
		data[place] ^= byte(1 + l.rng.Below(255))
	}
	return l.copies(leaveMs, data)
}

func (l *Link) transmit(nowMs int64, nBytes int) (int64, bool) {
	rate := l.RateKbps
	if rate == 0 {
		return nowMs, true
	}
	nowBits := nowMs * rate
	for len(l.startsBits) > 0 && l.startsBits[0] <= nowBits {
		l.startsBits = l.startsBits[1:]
	}
	if l.Queue > 0 && len(l.startsBits) >= l.Queue {
		return 0, false
	}
	start := l.freeBits
	if start <= nowBits {
		start = nowBits
	} else {
		l.startsBits = append(l.startsBits, start)
	}
	l.freeBits = start + 8*int64(nBytes+l.Overhead)
	return (l.freeBits + rate - 1) / rate, true
}

func (l *Link) gilbertElliott() bool {
	draw := l.rng.Below(10000)
	if l.bad {
		l.bad = draw >= l.GE[1]
	} else {
		l.bad = draw < l.GE[0]
	}
	loss := l.GE[3]
	if l.bad {
		loss = l.GE[2]
	}
	return l.rng.Below(10000) < loss
}

func (l *Link) delay() int64 {
	if l.JitterMs > 0 {
		return l.DelayMs + int64(l.rng.Below(l.JitterMs+1))
	}
	return l.DelayMs
}

func (l *Link) copies(leaveMs int64, data []byte) []arrival {
	delayMs := l.delay()
	if l.ReorderPct > 0 && l.rng.Below(100) < l.ReorderPct {
		delayMs = 0
	}
	copies := []arrival{{leaveMs + delayMs, data}}
	if l.DupPct > 0 && l.rng.Below(100) < l.DupPct {
		l.Counters.Duplicated++
		copies = append(copies, arrival{leaveMs + l.delay(), data})
	}
	if l.ReplayPct > 0 && l.rng.Below(100) < l.ReplayPct {
		l.Counters.Replayed++
		copies = append(copies, arrival{leaveMs + 1 + int64(l.rng.Below(l.ReplayMs)), data})
	}
	if poll := l.RxPollMs; poll > 1 {
		for i := range copies {
			copies[i].ms = (copies[i].ms + poll - 1) / poll * poll
		}
	}
	return copies
}

// receive is true if the receiver's socket has room for a datagram that arrives now.
func (l *Link) receive(nowMs int64) bool {
	if l.RxQueue > 0 {
		if nowMs != l.lookMs {
			l.lookMs, l.nSeen = nowMs, 0
		}
		if l.nSeen >= l.RxQueue {
			l.Counters.RxDrops++
			return false
		}
		l.nSeen++
	}
	l.Counters.Delivered++
	return true
}
