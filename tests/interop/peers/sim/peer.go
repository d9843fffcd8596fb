package sim

import (
	"reflect"
	"time"
	"unsafe"

	kcp "github.com/xtaci/kcp-go/v5"
)

// kcpRefTime is the moment from which kcp-go counts its milliseconds. Setting it before each call gives every
// peer a clock of its own, and the same one in every run.
//
//go:linkname kcpRefTime github.com/xtaci/kcp-go/v5.refTime
var kcpRefTime time.Time

// kcpFlush is what kcp-go's own session calls; it returns the ms until the next call.
//
//go:linkname kcpFlush github.com/xtaci/kcp-go/v5.(*KCP).flush
func kcpFlush(arq *kcp.KCP, flushType kcp.FlushType) uint32

// PeerOptions are a peer's settings; twin: tests/sim/arq_peer.py.
type PeerOptions struct {
	SndWnd     int    `json:"snd_wnd"`
	RcvWnd     int    `json:"rcv_wnd"`
	Mode       [4]int `json:"mode"`
	Mtu        int    `json:"mtu"`
	Conv       uint32 `json:"conv"`
	ClockMs    uint32 `json:"clock_ms"`
	PhaseMs    int64  `json:"phase_ms"`
	SndSn      uint32 `json:"snd_sn"`
	RcvSn      uint32 `json:"rcv_sn"`
	AckNoDelay bool   `json:"ack_nodelay"`
}

// Peer is one kcp-go ARQ object on the simulated path. It is driven on the grid of Update(), or, if session is
// set, as kcp-go's UDPSession drives it: a flush after every write and one when its timer runs out, which
// is set to what the last such flush returned.
type Peer struct {
	session      bool
	options      PeerOptions
	arq          *kcp.KCP
	epoch        time.Time
	depth        int
	nextUpdateMs int64
	inputErrors  int
}

func setField(arq *kcp.KCP, name string, value uint32) {
	field := reflect.ValueOf(arq).Elem().FieldByName(name)
	*(*uint32)(unsafe.Pointer(field.UnsafeAddr())) = value
}

// NewPeer must be called in the bubble, at the beginning of virtual time.
func NewPeer(net *Net, side int, o PeerOptions, session bool) *Peer {
	p := &Peer{
		session: session, options: o, depth: 2 * o.SndWnd, nextUpdateMs: o.PhaseMs,
		epoch: time.Now().Add(-time.Duration(o.ClockMs) * time.Millisecond),
	}
	p.arq = kcp.NewKCP(o.Conv, func(buf []byte, size int) { net.send(side, buf[:size]) })
	p.arq.SetMtu(o.Mtu)
	p.arq.WndSize(o.SndWnd, o.RcvWnd)
	p.arq.NoDelay(o.Mode[0], o.Mode[1], o.Mode[2], o.Mode[3])
	setField(p.arq, "snd_una", o.SndSn)
	setField(p.arq, "snd_nxt", o.SndSn)
	setField(p.arq, "rcv_nxt", o.RcvSn)
	return p
}

func (p *Peer) input(data []byte) {
	kcpRefTime = p.epoch
	if p.arq.Input(data, kcp.IKCP_PACKET_REGULAR, p.options.AckNoDelay) != 0 {
		p.inputErrors++
	}
}

func (p *Peer) tick(nowMs int64) {
	if nowMs >= p.nextUpdateMs {
		kcpRefTime = p.epoch
		if p.session {
			p.nextUpdateMs = nowMs + int64(kcpFlush(p.arq, kcp.IKCP_FLUSH_FULL))
			return
		}
		p.nextUpdateMs += int64(p.options.Mode[1])
		p.arq.Update()
	}
}

func (p *Peer) idle() bool { return p.arq.WaitSnd() == 0 }

func (p *Peer) write(data []byte) bool {
	if p.arq.WaitSnd() >= p.depth || p.arq.Send(data) != 0 {
		return false
	}
	if p.session {
		kcpRefTime = p.epoch
		kcpFlush(p.arq, kcp.IKCP_FLUSH_FULL)
	}
	return true
}

func (p *Peer) readInto(buf []byte) int { return max(p.arq.Recv(buf), 0) }
