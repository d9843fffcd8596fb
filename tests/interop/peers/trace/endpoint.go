package trace

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"

	kcp "github.com/xtaci/kcp-go/v5"
)

// endpoint is one kcp-go state machine whose calls and datagrams are written down.
type endpoint struct {
	conf    endConf
	index   int
	kcp     *kcp.KCP
	conv    uint32
	log     strings.Builder // finished lines
	outs    strings.Builder // lines of the datagrams that the current call emits
	emitted func(datagram []byte)
	events  int // calls but for Update
	updates int
	sentAt  int // position in its pattern
	maxWait int
	left    int // segments still to be sent
	state   bool

	nextUpdate, nextSend, nextRead int
}

// newEndpoint sets up endpoint `index` of a schedule; emitted gets each datagram it sends.
func newEndpoint(s *schedule, index int, emitted func([]byte)) *endpoint {
	e := &endpoint{conf: s.ends[index], index: index, conv: s.conv, emitted: emitted, left: s.ends[index].segments}
	e.kcp = kcp.NewKCP(s.conv, func(buf []byte, size int) { e.output(append([]byte(nil), buf[:size]...)) })
	if e.kcp.SetMtu(e.conf.mtu) != 0 {
		panic("mtu refused")
	}
	e.kcp.WndSize(e.conf.sndwnd, e.conf.rcvwnd)
	e.kcp.NoDelay(e.conf.nodelay, e.conf.interval, e.conf.resend, e.conf.nc)
	if e.conf.stream {
		streamMode(e.kcp)
	}
	setField(e.kcp, "snd_una", e.conf.sn)
	setField(e.kcp, "snd_nxt", e.conf.sn)
	setField(e.kcp, "rcv_nxt", s.ends[1-index].sn)
	return e
}

// record ends a call: its line, those of its datagrams, and the state if asked for.
func (e *endpoint) record(format string, args ...any) {
	e.events++
	fmt.Fprintf(&e.log, format+"\n", args...)
	e.log.WriteString(e.outs.String())
	e.outs.Reset()
	e.maxWait = max(e.maxWait, e.kcp.WaitSnd())
	if e.state {
		fmt.Fprintf(&e.log, "q %s\n", stateOf(e.kcp))
	}
}

func (e *endpoint) output(datagram []byte) {
	if len(datagram) == 0 { // comes before a segment that is larger than the mtu; a session drops it
		return
	}
	fmt.Fprintf(&e.outs, "o %s\n", describe(datagram, e.conv, e.index))
	e.emitted(datagram)
}

func (e *endpoint) update(t int) {
	e.kcp.Update()
	e.record("u %d", t)
	e.events-- // the most frequent call is the least interesting
	e.updates++
}

func (e *endpoint) input(t int, datagram []byte, fec bool) {
	kind, regular := kcp.IKCP_PACKET_REGULAR, 1
	if fec {
		kind, regular = kcp.IKCP_PACKET_FEC, 0
	}
	ret := e.kcp.Input(append([]byte(nil), datagram...), kind, e.conf.ackNoDelay)
	e.record("i %d %d %d %s", t, regular, ret, describe(datagram, e.conv, 1-e.index))
}

func (e *endpoint) send(t, n int) {
	ret := e.kcp.Send(patternAt(e.index, e.sentAt, n))
	if ret >= 0 {
		e.sentAt += n
	}
	e.record("s %d %d %d", t, n, ret)
}

func (e *endpoint) recv(t, n int) {
	buf := make([]byte, n)
	ret := e.kcp.Recv(buf)
	e.record("r %d %d %d %08x", t, n, ret, crc32.ChecksumIEEE(buf[:max(ret, 0)]))
}

func (e *endpoint) change(t int, c change) {
	a := c.args
	switch c.call {
	case 'w':
		e.kcp.WndSize(a[0], a[1])
		e.record("w %d %d %d", t, a[0], a[1])
	case 'm':
		if e.kcp.SetMtu(a[0]) != 0 {
			panic("mtu refused")
		}
		e.record("m %d %d", t, a[0])
	default:
		e.kcp.NoDelay(a[0], a[1], a[2], a[3])
		e.record("n %d %d %d %d %d", t, a[0], a[1], a[2], a[3])
	}
}

// describe writes a datagram as tokens: the hex of a segment's header, with @position when
// it has a payload, which is then found there in the sender's pattern; !hex for anything else.
func describe(datagram []byte, conv uint32, sender int) string {
	var b strings.Builder
	list, rest := segments(datagram, conv)
	for i, s := range list {
		at := findPattern(sender, s.payload())
		if at < 0 {
			rest = datagram[offsetOf(list[:i]):]
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(hex.EncodeToString(s[:headerBytes]))
		if len(s.payload()) > 0 {
			fmt.Fprintf(&b, "@%d", at)
		}
	}
	if len(rest) > 0 || b.Len() == 0 {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("!" + hex.EncodeToString(rest))
	}
	return b.String()
}

func offsetOf(list []segment) (n int) {
	for _, s := range list {
		n += len(s)
	}
	return n
}
