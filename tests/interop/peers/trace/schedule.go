package trace

import (
	"math/rand/v2"
)

// endConf is how one endpoint is set up and used. Times are ms, sizes bytes, windows packets.
type endConf struct {
	mtu, sndwnd, rcvwnd           int
	nodelay, interval, resend, nc int
	stream, ackNoDelay            bool
	sn                            uint32 // first sequence number of what it sends
	tick                          int    // Update is called every tick, or with tickJitter up to 2 * tick
	tickJitter                    bool
	sendGap, burst, maxWait       int // every sendGap up to burst messages while WaitSnd() < maxWait
	segments                      int // about how many segments to send in all
	readGap                       int
	readStall                     []span // the reader does nothing in these
	freezes                       []span // nothing at all is called in these (a suspended machine)
	changes                       []change
}

type span struct{ from, to int }

// change is a call of WndSize ('w'), NoDelay ('n') or SetMtu ('m') in mid-run.
type change struct {
	at   int
	call byte
	args [4]int
}

// linkConf is one direction of the link.
type linkConf struct {
	loss, dup, late, fec, hostile float64
	delay, jitter, lateBy         int
	fifo                          bool
	burst                         float64 // probability that a loss goes on with the next datagram
	dark                          []span  // everything is lost in these
}

// schedule is everything about one run; it follows from (seed, number) alone.
type schedule struct {
	seed, number uint64
	conv         uint32
	startTS      uint32 // kcp-go's clock at the start
	duration     int
	maxEvents    int // Updates do not count
	lull         int // the run ends when nothing was left to do for so long
	ends         [2]endConf
	links        [2]linkConf // links[i] carries what ends[i] sends
	rng          *rand.Rand
}

// dice are the draws that schedules are made of.
type dice struct{ *rand.Rand }

func (d dice) chance(p float64) bool   { return d.Float64() < p }
func (d dice) between(lo, hi int) int  { return lo + d.IntN(hi-lo+1) }
func (d dice) oneOf(values ...int) int { return values[d.IntN(len(values))] }
func (d dice) span(within, long int) span {
	from := d.IntN(within)
	return span{from, from + 1 + d.IntN(long)}
}
func (s span) covers(t int) bool { return s.from <= t && t < s.to }
func covered(spans []span, t int) bool {
	for _, s := range spans {
		if s.covers(t) {
			return true
		}
	}
	return false
}

// newSchedule draws schedule number `number` of a seed.
func newSchedule(seed, number uint64) *schedule {
	d := dice{rand.New(rand.NewPCG(seed, number))}
	s := &schedule{seed: seed, number: number, rng: d.Rand}
	s.conv = d.Uint32()
	s.duration = d.oneOf(4000, 8000, 15000, 40000)
	s.maxEvents = d.oneOf(300, 600, 900, 1500)
	s.startTS = drawWrap(d, s.duration, 0.45)
	s.lull = d.oneOf(300, 1500, 1500, 30000)
	s.ends[0] = drawEnd(d, s.duration)
	if s.ends[1] = drawEnd(d, s.duration); d.chance(0.5) {
		s.ends[1] = s.ends[0]
		s.ends[1].segments = d.oneOf(0, 3, s.ends[0].segments)
	}
	switch {
	case d.chance(0.4):
		makeBulk(d, &s.ends[0])
		makeBulk(d, &s.ends[1])
	case d.chance(0.05):
		makePatient(d, s)
	}
	s.links[0] = drawLink(d, s.duration)
	if s.links[1] = drawLink(d, s.duration); d.chance(0.6) {
		s.links[1] = s.links[0]
	}
	for i := range s.ends {
		s.ends[i].sn = drawWrap(d, 100, 0.4)
	}
	for i := range s.ends {
		if e := &s.ends[i]; d.chance(0.15) {
			e.changes = append(e.changes, drawMtus(d, e.mtu, s.duration)...)
		}
	}
	if s.links[0].hostile+s.links[1].hostile > 0 {
		// kcp-go compares the ts of a forged ACK of a segment that was never sent with 0, so
		// what it does then depends on which half of its clock's range it is in.
		s.startTS >>= 1
	}
	return s
}

// drawWrap gives a u32 that, with probability p, soon reaches 2^31 or 2^32.
func drawWrap(d dice, soon int, p float64) uint32 {
	if !d.chance(p) {
		return d.Uint32() >> d.oneOf(0, 0, 8, 31)
	}
	edge := uint32(d.oneOf(0, 0, 1)) << 31
	return edge - uint32(d.IntN(soon+1))
}

func drawEnd(d dice, duration int) endConf {
	e := endConf{
		mtu:        d.oneOf(50, 100, 137, 256, 512, 576, 1350, 1400, 1400, d.between(50, 1400), d.between(25, 60)),
		sndwnd:     drawWindow(d),
		rcvwnd:     drawWindow(d),
		nodelay:    d.IntN(2),
		interval:   drawInterval(d),
		resend:     d.IntN(4),
		nc:         d.IntN(2),
		stream:     d.chance(0.5),
		ackNoDelay: d.chance(0.3),
		tickJitter: d.chance(0.4),
		sendGap:    d.between(1, 200),
		burst:      d.oneOf(1, 1, 2, 5, 40),
		segments:   d.oneOf(20, 60, 120, 250, 400),
		readGap:    d.oneOf(1, 5, 10, 50, 250),
	}
	e.maxWait = d.oneOf(1, e.sndwnd, 2*e.sndwnd, 300)
	e.tick = max(1, d.oneOf(e.interval/4, e.interval/2, e.interval, e.interval, e.interval, 10, 1))
	for range d.oneOf(0, 0, 1, 1, 2, 4) {
		e.readStall = append(e.readStall, d.span(duration, d.oneOf(500, 3000, 10000, 20000)))
	}
	if d.chance(0.12) {
		e.freezes = append(e.freezes, d.span(duration, d.oneOf(200, 5000, 60000, 3600000)))
	}
	if d.chance(0.15) {
		e.changes = drawChanges(d, duration)
	}
	return e
}

// makeBulk turns an endpoint into one that keeps a fair window full.
func makeBulk(d dice, e *endConf) {
	e.sndwnd, e.rcvwnd = d.oneOf(32, 64, 128, 256), d.oneOf(32, 64, 128, 256, 256)
	e.maxWait = d.oneOf(1, 2, 4) * e.sndwnd
	e.sendGap, e.burst, e.segments = d.between(1, 20), 40, d.oneOf(300, 600)
	e.interval = min(e.interval, 100)
	e.readGap = d.oneOf(1, 5, 10, 50)
}

// makePatient has the first endpoint wait many minutes for the second one to read.
func makePatient(d dice, s *schedule) {
	s.duration = 1200_000
	for i := range s.ends {
		e := &s.ends[i]
		e.interval, e.tick = d.oneOf(500, 1000, 2000), 1000
		e.sendGap, e.readGap = d.between(100, 1000), 500
		e.readStall, e.freezes = nil, nil
	}
	s.ends[1].readStall = []span{{d.IntN(3000), d.between(300_000, 900_000)}}
}

// drawInterval gives mostly usual flush intervals, and some that kcp-go clamps.
func drawInterval(d dice) int {
	return d.oneOf(10, 10, 20, 30, 40, 50, 100, d.between(10, 100), d.between(10, 100), d.oneOf(1, 9, 200, 1000, 6000))
}

func drawWindow(d dice) int {
	return d.oneOf(1, 2, 4, 8, 16, 32, 32, 64, 128, 256, d.between(1, 256), d.between(1, 40))
}

func drawChanges(d dice, duration int) []change {
	list := make([]change, d.between(1, 3))
	for i := range list {
		at := d.IntN(duration / 2)
		if d.chance(0.5) {
			list[i] = change{at, 'w', [4]int{drawWindow(d), drawWindow(d)}}
		} else {
			list[i] = change{at, 'n', [4]int{d.IntN(2), drawInterval(d), d.IntN(4), d.IntN(2)}}
		}
	}
	return list
}

// drawMtus gives new mtus. kcp-go writes a queued segment of the old size into a buffer of three
// times the new one, and panics if that is too small.
func drawMtus(d dice, mtu, duration int) []change {
	list := make([]change, d.between(1, 4))
	for i := range list {
		next := d.between(max(25, mtu/3+1), 1400)
		list[i] = change{d.IntN(duration / 2), 'm', [4]int{next}}
		mtu = max(mtu, next)
	}
	return list
}

func drawLink(d dice, duration int) linkConf {
	l := linkConf{delay: d.oneOf(0, 1, 5, 15, 40, 120, 300, d.between(0, 400)), fifo: d.chance(0.5)}
	l.jitter = d.oneOf(0, 0, 1, 10, l.delay/4, l.delay)
	if d.chance(0.75) {
		l.loss = d.Float64() * float64(d.oneOf(3, 10, 30, 60)) / 100
	}
	if d.chance(0.3) {
		l.burst = 0.3 + d.Float64()*0.5
	}
	if d.chance(0.4) {
		l.dup = d.Float64() * 0.15
	}
	if d.chance(0.4) {
		l.late, l.lateBy = d.Float64()*0.2, d.oneOf(5, 50, 300, 2000)
	}
	if d.chance(0.2) {
		l.fec = d.Float64() * 0.5
	}
	if d.chance(0.2) {
		l.hostile = d.Float64() * 0.08
	}
	if d.chance(0.15) {
		l.dark = append(l.dark, d.span(duration, d.oneOf(500, 3000, 15000)))
	}
	return l
}
