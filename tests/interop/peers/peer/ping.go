package peer

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

const pingStagger = 5 * time.Millisecond // between the beginnings of two clients

// pinging is clients of an echo server that measure how long each message takes to come back.
type pinging struct {
	*options
	addr                    string
	clients, messages, size int
	lock                    sync.Mutex
	times                   []time.Duration
}

// Ping runs `kcppeer ping ADDR`: each client sends a message, waits for its echo, and so on. The last line has the mean,
// the median, 99 % and the longest of the times, in ms.
func Ping(args []string) error {
	fs := flag.NewFlagSet("ping", flag.ExitOnError)
	p := &pinging{options: transportFlags(fs, time.Minute)}
	fs.IntVar(&p.clients, "clients", 1, "how many clients, each with a socket of its own")
	fs.IntVar(&p.messages, "messages", 10, "how many messages each of them sends")
	fs.IntVar(&p.size, "size", 64, "bytes of a message")
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		p.addr, args = args[0], args[1:]
	}
	_ = fs.Parse(args)
	if p.addr == "" || p.clients <= 0 || p.messages <= 0 || p.size <= 0 {
		return errors.New("give HOST:PORT, and --clients, --messages and --size above zero")
	}
	if err := p.finish(); err != nil {
		return err
	}
	start := time.Now()
	err := p.run()
	report(p.outcome(err, time.Since(start)))
	return err
}

func (p *pinging) run() error {
	failures := make([]error, p.clients)
	var group sync.WaitGroup
	for i := range p.clients {
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(time.Duration(i) * pingStagger)
			failures[i] = p.client(byte(i))
		}()
	}
	group.Wait()
	return errors.Join(failures...)
}

func (p *pinging) client(fill byte) error {
	conn, err := kcp.DialWithOptions(p.addr, p.block, p.datashard, p.parityshard)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := errors.Join(p.apply(conn), conn.SetDeadline(time.Now().Add(p.timeout))); err != nil {
		return err
	}
	message, echo := bytes.Repeat([]byte{fill}, p.size), make([]byte, p.size)
	for n := range p.messages {
		start := time.Now()
		if _, err := conn.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, echo); err != nil {
			return err
		}
		if !bytes.Equal(message, echo) {
			return fmt.Errorf("message %d came back changed", n)
		}
		p.lock.Lock()
		p.times = append(p.times, time.Since(start))
		p.lock.Unlock()
	}
	return nil
}

func (p *pinging) outcome(err error, took time.Duration) map[string]any {
	fields := map[string]any{
		"event": "pinged", "ok": err == nil, "echoed": len(p.times), "seconds": took.Seconds(), "snmp": counters(),
	}
	n := len(p.times)
	if n == 0 {
		return fields
	}
	slices.Sort(p.times)
	var sum time.Duration
	for _, one := range p.times {
		sum += one
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	fields["mean_ms"] = ms(sum) / float64(n)
	fields["p50_ms"], fields["p99_ms"], fields["max_ms"] = ms(p.times[n/2]), ms(p.times[n*99/100]), ms(p.times[n-1])
	return fields
}
