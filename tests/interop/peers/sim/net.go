package sim

import (
	"container/heap"
	"encoding/binary"
	"hash/crc32"
)

type underWay struct {
	ms        int64
	seq       int
	direction int
	data      []byte
}

type arrivals []underWay

func (a arrivals) Len() int { return len(a) }
func (a arrivals) Less(i, j int) bool {
	return a[i].ms < a[j].ms || (a[i].ms == a[j].ms && a[i].seq < a[j].seq)
}
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)   { *a = append(*a, x.(underWay)) }
func (a *arrivals) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// Net is the path; twin: lib/kcp_sim/net.py.
type Net struct {
	links         [2]*Link
	nowMs         int64
	wire          [2]uint32
	nBytes        [2]int
	lastSendMs    int64
	lastArrivalMs int64
	segsLost      int
	segsRepeated  int
	cmds          map[byte]int
	seq           int
	heap          arrivals
}

// NewNet makes a path of two directions.
func NewNet(options [2]LinkOptions, seed uint32) *Net {
	return &Net{
		links: [2]*Link{NewLink(options[0], seed, 0), NewLink(options[1], seed, 1)},
		cmds:  map[byte]int{},
	}
}

// send puts one datagram on the path now.
func (n *Net) send(direction int, datagram []byte) {
	data := append([]byte(nil), datagram...)
	n.wire[direction] = n.checksum(n.wire[direction], data)
	n.nBytes[direction] += len(data)
	n.lastSendMs = n.nowMs
	cmds := segmentCmds(data)
	for _, cmd := range cmds {
		n.cmds[cmd]++
	}
	copies := n.links[direction].send(n.nowMs, data)
	if len(copies) == 0 {
		n.segsLost += len(cmds)
	} else {
		n.segsRepeated += len(cmds) * (len(copies) - 1)
	}
	for _, c := range copies {
		heap.Push(&n.heap, underWay{c.ms, n.seq, direction, c.data})
		n.seq++
	}
}

// checksum adds the time and one datagram to a checksum.
func (n *Net) checksum(crc uint32, data []byte) uint32 {
	var stamp [8]byte
	binary.LittleEndian.PutUint32(stamp[0:], uint32(n.nowMs))
	binary.LittleEndian.PutUint32(stamp[4:], uint32(len(data)))
	crc = crc32.Update(crc, crc32.IEEETable, stamp[:])
	return crc32.Update(crc, crc32.IEEETable, data)
}

func (n *Net) nextMs() int64 {
	if len(n.heap) == 0 {
		return -1
	}
	return n.heap[0].ms
}

// arrive gives the next datagram that has arrived by now.
func (n *Net) arrive() (direction int, data []byte, ok bool) {
	for len(n.heap) > 0 && n.heap[0].ms <= n.nowMs {
		next := heap.Pop(&n.heap).(underWay)
		if n.links[next.direction].receive(n.nowMs) {
			n.lastArrivalMs = n.nowMs
			return next.direction, next.data, true
		}
		n.segsLost += len(segmentCmds(next.data))
	}
	return 0, nil, false
}

func (n *Net) counters() LinkCounters {
	a, b := n.links[0].Counters, n.links[1].Counters
	return LinkCounters{
		a.Sent + b.Sent, a.QueueDrops + b.QueueDrops, a.Blackholed + b.Blackholed, a.Lost + b.Lost,
		a.Corrupted + b.Corrupted, a.Duplicated + b.Duplicated, a.Replayed + b.Replayed,
		a.RxDrops + b.RxDrops, a.Delivered + b.Delivered,
	}
}

// segmentCmds gives the cmd of every segment of a datagram.
func segmentCmds(data []byte) (cmds []byte) {
	for len(data) >= 24 && 81 <= data[4] && data[4] <= 84 {
		cmds = append(cmds, data[4])
		next := 24 + int(binary.LittleEndian.Uint32(data[20:]))
		data = data[min(next, len(data)):]
	}
	return cmds
}

// runLink is run_link of cases.py: no peers, only direction 0 of a path.
func runLink(n *Net, load Load, r *Result) {
	for nSent := 0; nSent < load.Count || n.nextMs() >= 0; n.nowMs++ {
		for _, data, ok := n.arrive(); ok; _, data, ok = n.arrive() {
			r.Wire[1] = n.checksum(r.Wire[1], data)
		}
		if nSent < load.Count && n.nowMs%load.PeriodMs == 0 {
			n.send(0, pattern(nSent*load.Size, load.Size))
			nSent++
		}
	}
	r.DoneMs, r.Wire[0], r.Links = n.lastArrivalMs, n.wire[0], n.counters()
}
