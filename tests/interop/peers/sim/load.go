package sim

import (
	"bytes"
	"fmt"
)

const (
	blockBytes = 4099
	maxBytes   = 4096
)

var patternBytes = func() []byte {
	rng := NewRng(2026, 0)
	block := make([]byte, blockBytes)
	for i := range block {
		block[i] = byte(rng.Below(256))
	}
	return append(block, block[:maxBytes]...)
}()

func pattern(offset, nBytes int) []byte {
	begin := offset % blockBytes
	return patternBytes[begin : begin+nBytes]
}

// Load is what the two applications do; see scenarios.json.
type Load struct {
	Kind      string    `json:"kind"`
	Bytes     int       `json:"bytes"`
	BytesBack int       `json:"bytes_back"`
	Stall     *[2]int64 `json:"stall"`
	Count     int       `json:"count"`
	Size      int       `json:"size"`
	PeriodMs  int64     `json:"period_ms"`
}

// app is one application; twin: lib/kcp_sim/load.py. A step returns an error when a byte is wrong.
type app interface {
	step(nowMs int64) error
	nextMs(nowMs int64) int64
	doneMs() int64
}

// reader checks what arrives.
type reader struct {
	peer      *Peer
	nReceived int
	buf       [maxBytes]byte
}

func (r *reader) read() error {
	for n := r.peer.readInto(r.buf[:]); n > 0; n = r.peer.readInto(r.buf[:]) {
		if !bytes.Equal(r.buf[:n], pattern(r.nReceived, n)) {
			return fmt.Errorf("wrong bytes from offset %d on", r.nReceived)
		}
		r.nReceived += n
	}
	return nil
}

type bulk struct {
	reader
	outBytes, inBytes, chunkBytes, nSent int
	stall                                *[2]int64
	done                                 int64
}

func newBulk(peer *Peer, outBytes, inBytes, chunkBytes int, stall *[2]int64) *bulk {
	b := &bulk{
		reader: reader{peer: peer}, outBytes: outBytes, inBytes: inBytes,
		chunkBytes: chunkBytes, stall: stall,
	}
	if inBytes > 0 {
		b.done = -1
	}
	return b
}

func (b *bulk) doneMs() int64 { return b.done }

func (b *bulk) nextMs(nowMs int64) int64 {
	if b.stall != nil && nowMs < b.stall[1] {
		return b.stall[1]
	}
	return -1
}

func (b *bulk) step(nowMs int64) error {
	if b.stall == nil || nowMs < b.stall[0] || nowMs >= b.stall[1] {
		if err := b.read(); err != nil {
			return err
		}
		if b.nReceived > b.inBytes {
			return fmt.Errorf("%d bytes too many", b.nReceived-b.inBytes)
		}
		if b.done < 0 && b.nReceived == b.inBytes {
			b.done = nowMs
		}
	}
	for b.nSent < b.outBytes {
		n := min(b.chunkBytes, b.outBytes-b.nSent)
		if !b.peer.write(pattern(b.nSent, n)) {
			break
		}
		b.nSent += n
	}
	return nil
}

type echoClient struct {
	reader
	nMessages, size int
	periodMs        int64
	sentMs          []int64
	rtts            []int64
	done            int64
}

func (e *echoClient) doneMs() int64 { return e.done }

func (e *echoClient) nextMs(nowMs int64) int64 {
	if e.periodMs > 0 && len(e.sentMs) < e.nMessages {
		return int64(len(e.sentMs)) * e.periodMs
	}
	return -1
}

func (e *echoClient) step(nowMs int64) error {
	if err := e.read(); err != nil {
		return err
	}
	for (len(e.rtts)+1)*e.size <= e.nReceived {
		e.rtts = append(e.rtts, nowMs-e.sentMs[len(e.rtts)])
	}
	if e.done < 0 && len(e.rtts) == e.nMessages {
		e.done = nowMs
	}
	for e.due(nowMs) {
		if !e.peer.write(pattern(len(e.sentMs)*e.size, e.size)) {
			return fmt.Errorf("no room for a message of %d bytes", e.size)
		}
		e.sentMs = append(e.sentMs, nowMs)
	}
	return nil
}

func (e *echoClient) due(nowMs int64) bool {
	if len(e.sentMs) == e.nMessages {
		return false
	}
	if e.periodMs > 0 {
		return int64(len(e.sentMs))*e.periodMs <= nowMs
	}
	return len(e.sentMs) == len(e.rtts)
}

type echoServer struct {
	peer *Peer
	buf  [maxBytes]byte
}

func (e *echoServer) doneMs() int64            { return 0 }
func (e *echoServer) nextMs(nowMs int64) int64 { return -1 }

func (e *echoServer) step(nowMs int64) error {
	for n := e.peer.readInto(e.buf[:]); n > 0; n = e.peer.readInto(e.buf[:]) {
		if !e.peer.write(e.buf[:n]) {
			return fmt.Errorf("no room for an echo of %d bytes", n)
		}
	}
	return nil
}

func makeApps(load Load, peers [2]*Peer) [2]app {
	if load.Kind == "echo" {
		client := &echoClient{
			reader:    reader{peer: peers[0]},
			nMessages: load.Count, size: load.Size, periodMs: load.PeriodMs, done: -1,
		}
		return [2]app{client, &echoServer{peer: peers[1]}}
	}
	chunk := min(peers[0].options.Mtu-24, maxBytes)
	return [2]app{
		newBulk(peers[0], load.Bytes, load.BytesBack, chunk, nil),
		newBulk(peers[1], load.BytesBack, load.Bytes, chunk, load.Stall),
	}
}
