package bench

import (
	"errors"
	"reflect"
	"time"
	"unsafe"

	kcp "github.com/xtaci/kcp-go/v5"
)

// kcpRefTime is the moment from which kcp-go counts its milliseconds.
//
//go:linkname kcpRefTime github.com/xtaci/kcp-go/v5.refTime
var kcpRefTime time.Time

//go:linkname kcpFlush github.com/xtaci/kcp-go/v5.(*KCP).flush
func kcpFlush(arq *kcp.KCP, kind kcp.FlushType) uint32

const (
	messageBytes = 64 << 10
	roundMs      = 10
)

// wire is a direction of the path in memory: what one object put out and the other has not seen.
type wire struct {
	packets [][]byte
	n       int
}

func (w *wire) put(buf []byte, size int) {
	if w.n == len(w.packets) {
		w.packets = append(w.packets, make([]byte, packetBytes))
	}
	w.packets[w.n] = append(w.packets[w.n][:0], buf[:size]...)
	w.n++
}

func (w *wire) deliver(to *kcp.KCP) {
	for _, packet := range w.packets[:w.n] {
		to.Input(packet, kcp.IKCP_PACKET_REGULAR, false)
	}
	w.n = 0
}

func newARQ(out *wire) *kcp.KCP {
	arq := kcp.NewKCP(1, out.put)
	arq.SetMtu(packetBytes)
	arq.WndSize(window, window)
	arq.NoDelay(1, roundMs, 2, 1)
	return arq
}

// arqOperation passes a message through two objects back to back, in virtual time. A round takes
// 10 ms: the sender's window is filled and sent, what arrives is read and acknowledged.
func arqOperation() *operation {
	var there, back wire
	sender, receiver := newARQ(&there), newARQ(&back)
	message, buf := make([]byte, messageBytes), make([]byte, messageBytes)
	now := time.Duration(0)
	round := func() {
		now += roundMs * time.Millisecond
		kcpRefTime = time.Now().Add(-now)
		for sender.WaitSnd() < window {
			sender.Send(message)
		}
		sender.Update()
		there.deliver(receiver)
		receiver.Update()
		back.deliver(sender)
	}
	return &operation{megabytes, messageBytes / 1e6, func(n int) error {
		for range n {
			for receiver.PeekSize() < 0 {
				round()
			}
			if receiver.Recv(buf) != messageBytes {
				return errors.New("a message has changed")
			}
		}
		return nil
	}}
}

// flushOperation is kcp-go's flush with 1024 segments in flight, none of them due.
func flushOperation() (*operation, error) {
	var out wire
	arq := newARQ(&out)
	setField(arq, "rmt_wnd", window)
	setField(arq, "rx_rto", 60000)
	for arq.WaitSnd() < window {
		arq.Send(make([]byte, 1))
	}
	kcpFlush(arq, kcp.IKCP_FLUSH_FULL)
	out.n = 0
	return &operation{thousands, 1e-3, func(n int) error {
		for range n {
			kcpFlush(arq, kcp.IKCP_FLUSH_FULL)
		}
		if out.n > 0 {
			return errors.New("something was due")
		}
		return nil
	}}, nil
}

func setField(arq *kcp.KCP, name string, value uint32) {
	field := reflect.ValueOf(arq).Elem().FieldByName(name)
	*(*uint32)(unsafe.Pointer(field.UnsafeAddr())) = value
}
