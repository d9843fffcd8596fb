package trace

import "container/heap"

// delivery is a datagram on its way to an endpoint. fec marks it as rebuilt from parity.
type delivery struct {
	at, order int
	to        int
	bytes     []byte
	fec       bool
}

// wire holds all datagrams on their way, the next one first.
type wire []delivery

func (w wire) Len() int { return len(w) }
func (w wire) Less(i, j int) bool {
	if w[i].at != w[j].at {
		return w[i].at < w[j].at
	}
	return w[i].order < w[j].order
}
func (w wire) Swap(i, j int) { w[i], w[j] = w[j], w[i] }
func (w *wire) Push(x any)   { *w = append(*w, x.(delivery)) }
func (w *wire) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	*w = (*w)[:last]
	return x
}

// link is one direction: it decides what becomes of a datagram.
type link struct {
	conf    linkConf
	to      int
	lastAt  int
	losing  bool
	sent    int
	history [][]byte
}

// carry takes what an endpoint emitted at time t and puts what the link makes of it on the wire.
func (l *link) carry(r *run, t int, datagram []byte) {
	d := dice{r.rng}
	l.history = append(l.history, datagram)
	if l.lost(d, t) {
		if d.chance(l.conf.fec) { // lost, but rebuilt a little later
			l.post(r, l.arrival(d, t)+d.IntN(30), datagram, true)
		}
		return
	}
	if d.chance(l.conf.hostile) {
		l.post(r, l.arrival(d, t), mutate(d, r, l, datagram), false)
		if d.chance(0.5) { // else the real one is gone
			l.post(r, l.arrival(d, t), datagram, false)
		}
		return
	}
	l.post(r, l.arrival(d, t), datagram, false)
	if d.chance(l.conf.dup) {
		l.post(r, l.arrival(d, t), datagram, false)
	}
	if d.chance(l.conf.fec * 0.1) { // rebuilt although it arrived
		l.post(r, l.arrival(d, t), datagram, true)
	}
}

func (l *link) lost(d dice, t int) bool {
	if covered(l.conf.dark, t) {
		return true
	}
	p := l.conf.loss
	if l.losing && l.conf.burst > p {
		p = l.conf.burst
	}
	l.losing = d.chance(p)
	return l.losing
}

func (l *link) arrival(d dice, t int) int {
	at := t + l.conf.delay + d.IntN(l.conf.jitter+1)
	if d.chance(l.conf.late) {
		return at + d.IntN(l.conf.lateBy)
	}
	if l.conf.fifo && at < l.lastAt {
		at = l.lastAt
	}
	l.lastAt = at
	return at
}

func (l *link) post(r *run, at int, datagram []byte, fec bool) {
	r.order++
	heap.Push(&r.wire, delivery{at: at, order: r.order, to: l.to, bytes: datagram, fec: fec})
}
