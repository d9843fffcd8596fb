package peer

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

const (
	oobBurst = 16 // packets after which the sender gives the other end time to answer
	oobPause = 2 * time.Millisecond
)

// OOBServer runs `kcppeer oob-server`: every session gets back what it sends, out-of-band packets and stream.
func OOBServer(args []string) error {
	fs := flag.NewFlagSet("oob-server", flag.ExitOnError)
	s := &server{options: transportFlags(fs, 10*time.Minute), idle: time.Minute, readBytes: 64 << 10}
	listen := fs.String("listen", "127.0.0.1:0", "address to listen at; port 0 = any free one")
	_ = fs.Parse(args)
	if err := s.finish(); err != nil {
		return err
	}
	l, err := kcp.ListenWithOptions(*listen, s.block, s.datashard, s.parityshard)
	if err != nil {
		return err
	}
	s.sockbufs(l)
	addr := l.Addr().(*net.UDPAddr)
	report(map[string]any{"event": "listening", "host": addr.IP.String(), "port": addr.Port})
	go func() {
		for {
			conn, err := l.AcceptKCP()
			if err != nil {
				return
			}
			if err := s.serveOOB(conn); err != nil {
				report(map[string]any{"event": "error", "error": err.Error()})
			}
		}
	}()
	waitForEnd(s.timeout)
	report(map[string]any{"event": "end", "snmp": counters()})
	return nil
}

func (s *server) serveOOB(conn *kcp.UDPSession) error {
	if err := s.apply(conn); err != nil {
		return err
	}
	report(map[string]any{"event": "session", "conv": conn.GetConv(), "oob_max": conn.GetOOBMaxSize()})
	go s.session(conn)
	return conn.SetOOBHandler(func(packet []byte) {
		if err := conn.SendOOB(packet); err != nil {
			report(map[string]any{"event": "error", "error": err.Error()})
		}
	})
}

// oobEcho sends packets of many sizes until each has come back.
type oobEcho struct {
	conn *kcp.UDPSession
	lock sync.Mutex
	left map[int]bool // sizes that have not come back yet
	bad  int          // packets that came back altered, or were never sent
	sent int
	back int
}

// oobContent is what a packet of n bytes holds.
func oobContent(n int) []byte {
	packet := make([]byte, n)
	for i := range packet {
		packet[i] = byte(i + n)
	}
	return packet
}

func (e *oobEcho) take(packet []byte) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.back++
	if string(packet) != string(oobContent(len(packet))) {
		e.bad++
	}
	delete(e.left, len(packet))
}

func (e *oobEcho) missing() []int {
	e.lock.Lock()
	defer e.lock.Unlock()
	sizes := make([]int, 0, len(e.left))
	for n := range e.left {
		sizes = append(sizes, n)
	}
	return sizes
}

func (e *oobEcho) run(end time.Time) error {
	for sizes := e.missing(); len(sizes) > 0; sizes = e.missing() {
		if time.Now().After(end) {
			return fmt.Errorf("%d sizes never came back", len(sizes))
		}
		for i, n := range sizes {
			if err := e.conn.SendOOB(oobContent(n)); err != nil {
				return err
			}
			e.sent++
			if i%oobBurst == oobBurst-1 {
				time.Sleep(oobPause)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// OOBClient runs `kcppeer oob-client ADDR`: packets of the sizes 0, STEP, ... and the largest, beside --bytes of stream.
func OOBClient(args []string) error {
	fs := flag.NewFlagSet("oob-client", flag.ExitOnError)
	c := &client{options: transportFlags(fs, time.Minute), addr: args[0], chunk: 4096, seed: 1, linger: 300 * time.Millisecond}
	step := fs.Int("step", 1, "from one size to the next")
	fs.Int64Var(&c.bytes, "bytes", 0, "bytes of stream to be echoed meanwhile")
	_ = fs.Parse(args[1:])
	if err := c.finish(); err != nil {
		return err
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	largest := conn.GetOOBMaxSize()
	e := &oobEcho{conn: conn, left: map[int]bool{largest: true}}
	for n := 0; n < largest; n += *step {
		e.left[n] = true
	}
	sizes := len(e.left)
	if err := conn.SetOOBHandler(e.take); err != nil {
		return err
	}
	stream := make(chan error, 1)
	go func() { stream <- c.echoStream(conn) }()
	err = errors.Join(e.run(time.Now().Add(c.timeout)), <-stream)
	e.lock.Lock()
	defer e.lock.Unlock()
	report(map[string]any{
		"event": "oob", "ok": err == nil && e.bad == 0, "oob_max": largest, "sizes": sizes,
		"sent": e.sent, "back": e.back, "bad": e.bad, "snmp": counters(),
	})
	c.leave(conn)
	return err
}

// echoStream sends --bytes of stream and compares what comes back.
func (c *client) echoStream(conn *kcp.UDPSession) error {
	if c.bytes == 0 {
		return nil
	}
	sent, back := sha256.New(), sha256.New()
	failed := make(chan error, 1)
	go func() { failed <- c.send(conn, sent) }()
	if _, err := io.CopyN(back, conn, c.bytes); err != nil {
		return err
	}
	if err := <-failed; err != nil {
		return err
	}
	if string(sent.Sum(nil)) != string(back.Sum(nil)) {
		return errors.New("what came back of the stream differs from what was sent")
	}
	return nil
}
