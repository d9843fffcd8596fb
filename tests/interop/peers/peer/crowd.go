package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// crowd is many clients of one echo server, each with a socket of its own.
type crowd struct {
	*options
	addr                    string
	clients, messages, size int
	nEchoed                 atomic.Int64
}

// Crowd runs `kcppeer crowd ADDR`: all clients at once send a message, wait for its echo, and so on.
// The last line says how many messages came back right, and how long it took.
func Crowd(args []string) error {
	fs := flag.NewFlagSet("crowd", flag.ExitOnError)
	c := &crowd{options: transportFlags(fs, time.Minute)}
	fs.IntVar(&c.clients, "clients", 1024, "how many clients")
	fs.IntVar(&c.messages, "messages", 64, "how many messages each of them sends")
	fs.IntVar(&c.size, "size", 64, "bytes of a message, at least 8")
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		c.addr, args = args[0], args[1:]
	}
	_ = fs.Parse(args)
	if c.addr == "" || c.clients <= 0 || c.messages <= 0 || c.size < 8 {
		return errors.New("give HOST:PORT, and --clients and --messages above zero, --size from 8 up")
	}
	if err := c.finish(); err != nil {
		return err
	}
	start := time.Now()
	err := c.run()
	report(map[string]any{
		"event": "crowd", "ok": err == nil, "clients": c.clients, "echoed": c.nEchoed.Load(),
		"seconds": time.Since(start).Seconds(), "snmp": counters(),
	})
	return err
}

func (c *crowd) run() error {
	failures := make(chan error, c.clients)
	var group sync.WaitGroup
	for i := range c.clients {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := c.client(i); err != nil {
				failures <- fmt.Errorf("client %d: %w", i, err)
			}
		}()
	}
	group.Wait()
	if n := len(failures); n > 0 {
		return fmt.Errorf("%d of %d clients failed, the first one: %w", n, c.clients, <-failures)
	}
	return nil
}

func (c *crowd) client(i int) error {
	conn, err := kcp.DialWithOptions(c.addr, c.block, c.datashard, c.parityshard)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := c.apply(conn); err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	message, echo := make([]byte, c.size), make([]byte, c.size)
	for n := range c.messages {
		binary.LittleEndian.PutUint32(message, uint32(i))
		binary.LittleEndian.PutUint32(message[4:], uint32(n))
		if _, err := conn.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, echo); err != nil {
			return err
		}
		if !bytes.Equal(message, echo) {
			return fmt.Errorf("message %d came back changed", n)
		}
		c.nEchoed.Add(1)
	}
	return nil
}
