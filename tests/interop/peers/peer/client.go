package peer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// client sends pseudo-random bytes over one session.
type client struct {
	*options
	addr   string
	bytes  int64
	chunk  int
	seed   uint64
	linger time.Duration
}

// parseClient reads ADDR and the flags, in either order.
func parseClient(name string, args []string) (*client, error) {
	fs := flag.NewFlagSet(name, flag.ExitOnError)
	c := &client{options: transportFlags(fs, time.Minute)}
	fs.Int64Var(&c.bytes, "bytes", 1<<20, "how many bytes to send")
	fs.IntVar(&c.chunk, "chunk", 64<<10, "bytes per write")
	fs.Uint64Var(&c.seed, "seed", 1, "seed of the bytes")
	durationFlag(fs, &c.linger, "linger", 300*time.Millisecond, "go on acknowledging for this long after the end")
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		c.addr, args = args[0], args[1:]
	}
	_ = fs.Parse(args)
	if c.addr == "" {
		c.addr = fs.Arg(0)
	}
	if c.addr == "" || c.bytes <= 0 || c.chunk <= 0 {
		return nil, fmt.Errorf("give HOST:PORT, and --bytes and --chunk above zero")
	}
	return c, c.finish()
}

func (c *client) dial() (*kcp.UDPSession, error) {
	conn, err := kcp.DialWithOptions(c.addr, c.block, c.datashard, c.parityshard)
	if err != nil {
		return nil, err
	}
	c.sockbufs(conn)
	if err := c.apply(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(c.timeout))
}

// send writes the pseudo-random bytes in chunks and hashes them on the way.
func (c *client) send(conn io.Writer, sum hash.Hash) error {
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(c.seed >> (8 * i))
	}
	random := rand.NewChaCha8(seed)
	buf := make([]byte, c.chunk)
	for left := c.bytes; left > 0; {
		part := buf[:min(left, int64(c.chunk))]
		_, _ = random.Read(part)
		sum.Write(part)
		if _, err := conn.Write(part); err != nil {
			return fmt.Errorf("write with %d of %d bytes left: %w", left, c.bytes, err)
		}
		left -= int64(len(part))
	}
	return nil
}

// EchoClient runs `kcppeer echo-client ADDR`: every byte must come back as it was sent.
func EchoClient(args []string) error {
	c, err := parseClient("echo-client", args)
	if err != nil {
		return err
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	start := time.Now()
	sent, back := sha256.New(), sha256.New()
	failed := make(chan error, 1)
	go func() { failed <- c.send(conn, sent) }()
	n, err := io.CopyN(back, conn, c.bytes)
	took := time.Since(start)
	if err == nil {
		err = <-failed
	}
	ok := err == nil && string(sent.Sum(nil)) == string(back.Sum(nil))
	reportSpeed("echo", n, took, map[string]any{
		"ok": ok, "sha256": hex.EncodeToString(back.Sum(nil)), "rtt_ms": conn.GetSRTT(), "snmp": counters(),
	})
	c.leave(conn)
	if err == nil && !ok {
		err = errors.New("what came back differs from what was sent")
	}
	return err
}

// SinkClient runs `kcppeer sink-client ADDR`: the server must answer with the right digest.
func SinkClient(args []string) error {
	c, err := parseClient("sink-client", args)
	if err != nil {
		return err
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	start := time.Now()
	sum := sha256.New()
	if err := c.send(conn, sum); err != nil {
		return err
	}
	digest := make([]byte, sha256.Size)
	_, err = io.ReadFull(conn, digest)
	ok := err == nil && string(digest) == string(sum.Sum(nil))
	reportSpeed("sink", c.bytes, time.Since(start), map[string]any{
		"ok": ok, "sha256": hex.EncodeToString(sum.Sum(nil)), "rtt_ms": conn.GetSRTT(), "snmp": counters(),
	})
	c.leave(conn)
	if err == nil && !ok {
		err = errors.New("the server's digest differs from ours")
	}
	return err
}

// leave lets the last ACKs out: kcp-go's Close flushes once and is gone.
func (c *client) leave(conn *kcp.UDPSession) {
	time.Sleep(c.linger)
	conn.Close()
}
