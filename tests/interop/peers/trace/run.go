package trace

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"microkcp/peers/vtime"
)

// run is one schedule in motion: two endpoints, two links, one virtual clock.
type run struct {
	*schedule
	rng         *rand.Rand
	ends        [2]*endpoint
	links       [2]*link
	wire        wire
	order       int
	now, busyAt int
	todo        [2][]change
}

// play runs a schedule to its end; it must be called inside a bubble.
func play(s *schedule, state bool) *run {
	r := &run{schedule: s, rng: s.rng}
	vtime.SleepUntilKCP(s.startTS)
	for i := range r.ends {
		l := &link{conf: s.links[i], to: 1 - i}
		r.links[i] = l
		r.ends[i] = newEndpoint(s, i, func(b []byte) { l.carry(r, r.now, b) })
		r.ends[i].state = state
		r.todo[i] = s.ends[i].changes
	}
	for !r.over() {
		next := r.nextTime()
		if next > s.duration {
			break
		}
		time.Sleep(time.Duration(next-r.now) * time.Millisecond)
		r.now = next
		r.step()
	}
	return r
}

// over tells if the schedule has had its share of events, or has come to rest.
func (r *run) over() bool {
	events, updates := 0, 0
	for _, e := range r.ends {
		events += e.events
		updates += e.updates
	}
	return events >= r.maxEvents || updates >= 2*r.maxEvents || r.idleFor(r.lull)
}

// idleFor tells if nothing was to be done for so many ms.
func (r *run) idleFor(ms int) bool {
	busy := len(r.wire) > 0
	for _, e := range r.ends {
		busy = busy || e.left > 0 || e.kcp.WaitSnd() > 0 || e.kcp.PeekSize() >= 0
	}
	if busy {
		r.busyAt = r.now
	}
	return r.now-r.busyAt >= ms
}

// nextTime is when the next thing happens to anybody.
func (r *run) nextTime() int {
	next := r.schedule.duration + 1
	for i, e := range r.ends {
		own := min(e.nextUpdate, e.nextSend, e.nextRead)
		if len(r.todo[i]) > 0 {
			own = min(own, r.todo[i][0].at)
		}
		next = min(next, r.thawed(e, own))
	}
	if len(r.wire) > 0 {
		next = min(next, r.wire[0].at)
	}
	return max(next, r.now)
}

// thawed is when endpoint e, asked to act at time t, is free to.
func (r *run) thawed(e *endpoint, t int) int {
	for _, f := range e.conf.freezes {
		if f.covers(max(t, r.now)) {
			return f.to
		}
	}
	return t
}

// step does everything that is due now, in an order drawn anew each time.
func (r *run) step() {
	for _, kind := range r.rng.Perm(9) {
		if kind == 8 {
			r.deliver()
			continue
		}
		e := r.ends[kind&1]
		if covered(e.conf.freezes, r.now) {
			continue
		}
		switch kind >> 1 {
		case 0:
			r.update(e)
		case 1:
			r.sendSome(e)
		case 2:
			r.readSome(e)
		case 3:
			r.changeSome(e)
		}
	}
}

func (r *run) deliver() {
	for len(r.wire) > 0 && r.wire[0].at <= r.now {
		d := heap.Pop(&r.wire).(delivery)
		e := r.ends[d.to]
		if at := r.thawed(e, r.now); at > r.now {
			d.at = at
			heap.Push(&r.wire, d)
			continue
		}
		e.input(r.now, d.bytes, d.fec)
	}
}

func (r *run) update(e *endpoint) {
	if r.now < e.nextUpdate {
		return
	}
	e.update(r.now)
	e.nextUpdate = r.now + e.conf.tick
	if e.conf.tickJitter {
		e.nextUpdate = r.now + 1 + r.rng.IntN(2*e.conf.tick)
	}
}

func (r *run) sendSome(e *endpoint) {
	if r.now < e.nextSend {
		return
	}
	e.nextSend = r.now + e.conf.sendGap
	for range e.conf.burst {
		if e.left <= 0 || e.kcp.WaitSnd() >= e.conf.maxWait {
			return
		}
		n := r.messageBytes(e)
		e.send(r.now, n)
		mss := e.conf.mtu - headerBytes
		e.left -= max(1, n/mss)
	}
}

// messageBytes draws the size of a message; what could never be delivered is rare.
func (r *run) messageBytes(e *endpoint) int {
	d := dice{r.rng}
	mss := e.conf.mtu - headerBytes
	most := min(255, r.schedule.ends[1-e.index].rcvwnd, 40) * mss
	switch {
	case !e.conf.stream && d.chance(0.002):
		return 256 * mss // just too much
	case !e.conf.stream && d.chance(0.002):
		return 255 * mss
	case d.chance(0.25):
		return d.between(1, 20)
	case d.chance(0.3):
		return max(1, mss+d.between(-1, 1))
	case d.chance(0.5):
		return d.between(1, 3*mss)
	}
	return d.between(1, most)
}

// readSome takes all messages that are there, and sometimes asks in ways that fail.
func (r *run) readSome(e *endpoint) {
	if r.now < e.nextRead {
		return
	}
	d := dice{r.rng}
	e.nextRead = r.now + e.conf.readGap
	if covered(e.conf.readStall, r.now) {
		return
	}
	for n := e.kcp.PeekSize(); n >= 0; n = e.kcp.PeekSize() {
		if n > 0 && d.chance(0.02) {
			e.recv(r.now, n-1)
		}
		e.recv(r.now, n+d.oneOf(0, 0, 5))
		if d.chance(0.05) {
			return
		}
	}
	if d.chance(0.01) {
		e.recv(r.now, 100)
	}
}

func (r *run) changeSome(e *endpoint) {
	list := r.todo[e.index]
	for len(list) > 0 && list[0].at <= r.now {
		e.change(r.now, list[0])
		list = list[1:]
	}
	r.todo[e.index] = list
}

// write prints the run: see tests/interop/trace_format.py.
func (r *run) write(w io.Writer) {
	fmt.Fprintf(w, "S seed=%d number=%d conv=%d start_ts=%d\n", r.seed, r.number, r.conv, r.startTS)
	for i, e := range r.ends {
		c := e.conf
		fmt.Fprintf(w, "E end=%d mtu=%d snd_wnd=%d rcv_wnd=%d nodelay=%d interval_ms=%d resend=%d nc=%d", i,
			c.mtu, c.sndwnd, c.rcvwnd, c.nodelay, c.interval, c.resend, c.nc)
		fmt.Fprintf(w, " stream=%d ack_nodelay=%d snd_sn=%d rcv_sn=%d max_queue=%d\n",
			number(c.stream), number(c.ackNoDelay), c.sn, r.schedule.ends[1-i].sn, e.maxWait+256)
		_, _ = io.WriteString(w, e.log.String())
		fmt.Fprintf(w, "q %s\n", stateOf(e.kcp))
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
