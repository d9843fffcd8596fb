package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"microkcp/peers/peer"
)

// What kcp-go's own Sink and Echo benchmarks set: windows of 1024, nodelay 1, 10, 2, 1, mtu 1400.
const (
	window      = 1024
	writeBytes  = 64 << 10
	sockbuf     = 4 << 20
	maxDuration = 2 * time.Minute
)

// transfer is what both ends are told.
type transfer struct {
	kind                    string
	bytes                   int64
	block                   kcp.BlockCrypt
	datashard, parityshard  int
	address, crypt, fecText string
}

func parseTransfer(args []string) (*transfer, error) {
	fs := flag.NewFlagSet("bench", flag.ExitOnError)
	t := &transfer{}
	fs.Int64Var(&t.bytes, "bytes", 1<<20, "how many bytes to move")
	fs.StringVar(&t.crypt, "crypt", "null", "null, aes-128, ...")
	fs.StringVar(&t.fecText, "fec", "0/0", "data and parity shards")
	fs.StringVar(&t.address, "address", "127.0.0.1:0", "where to listen or to send to")
	if len(args) == 0 || (args[0] != "sink" && args[0] != "echo") {
		return nil, errors.New("give sink or echo")
	}
	t.kind = args[0]
	_ = fs.Parse(args[1:])
	if _, err := fmt.Sscanf(t.fecText, "%d/%d", &t.datashard, &t.parityshard); err != nil {
		return nil, fmt.Errorf("--fec %s: give DATA/PARITY", t.fecText)
	}
	block, err := peer.NewBlock(t.crypt, "benchmark")
	t.block = block
	return t, err
}

func settings(conn *kcp.UDPSession) error {
	conn.SetStreamMode(true)
	conn.SetWindowSize(window, window)
	conn.SetNoDelay(1, 10, 2, 1)
	conn.SetACKNoDelay(false)
	conn.SetMtu(packetBytes)
	return conn.SetDeadline(time.Now().Add(maxDuration))
}

// serve takes one session. A sink answers with one byte when all bytes are there.
func serve(args []string) error {
	t, err := parseTransfer(args)
	if err != nil {
		return err
	}
	l, err := kcp.ListenWithOptions(t.address, t.block, t.datashard, t.parityshard)
	if err != nil {
		return err
	}
	_ = l.SetReadBuffer(sockbuf)
	_ = l.SetWriteBuffer(sockbuf)
	port := l.Addr().(*net.UDPAddr).Port
	if err := report(map[string]any{"event": "listening", "port": port}); err != nil {
		return err
	}
	time.AfterFunc(maxDuration, func() { os.Exit(1) })
	conn, err := l.AcceptKCP()
	if err != nil {
		return err
	}
	if err := settings(conn); err != nil {
		return err
	}
	if err := t.take(conn); err != nil {
		return err
	}
	select {} // the other end stops this process when it has all that it waits for
}

func (t *transfer) take(conn *kcp.UDPSession) error {
	buf := make([]byte, writeBytes)
	for left := t.bytes; left > 0; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		left -= int64(n)
		if t.kind == "echo" {
			if _, err := conn.Write(buf[:n]); err != nil {
				return err
			}
		}
	}
	if t.kind == "sink" {
		_, err := conn.Write(buf[:1])
		return err
	}
	return nil
}

// send writes everything and waits for the sink's byte, or for all of it to come back.
func send(args []string) error {
	t, err := parseTransfer(args)
	if err != nil {
		return err
	}
	conn, err := kcp.DialWithOptions(t.address, t.block, t.datashard, t.parityshard)
	if err != nil {
		return err
	}
	_ = conn.SetReadBuffer(sockbuf)
	_ = conn.SetWriteBuffer(sockbuf)
	if err := settings(conn); err != nil {
		return err
	}
	start := time.Now()
	failed := make(chan error, 1)
	go func() { failed <- t.write(conn) }()
	expected := int64(1)
	if t.kind == "echo" {
		expected = t.bytes
	}
	if _, err := io.CopyBuffer(onlyWriter{}, io.LimitReader(conn, expected), make([]byte, writeBytes)); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	if err := <-failed; err != nil {
		return err
	}
	return report(map[string]any{"value": float64(t.bytes) / 1e6 / took, "unit": megabytes})
}

func (t *transfer) write(conn *kcp.UDPSession) error {
	buf := make([]byte, writeBytes)
	for left := t.bytes; left > 0; left -= writeBytes {
		if _, err := conn.Write(buf[:min(left, writeBytes)]); err != nil {
			return err
		}
	}
	return nil
}

// onlyWriter swallows; io.Discard would choose a buffer of its own.
type onlyWriter struct{}

func (onlyWriter) Write(p []byte) (int, error) { return len(p), nil }
