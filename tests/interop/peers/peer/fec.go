package peer

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"microkcp/peers/fecdiff"
)

// phases is an echo in two halves, between which this side may change the ratio that it sends with.
type phases struct {
	bytes        int64
	data, parity int // from the second phase on; 0: no change
}

func phaseFlags(fs *flag.FlagSet) *phases {
	p := &phases{}
	fs.Int64Var(&p.bytes, "phase-bytes", 1<<20, "bytes of each of the two phases")
	fs.Func("change", "DATA/PARITY to send with in the second phase", func(text string) error {
		_, err := fmt.Sscanf(text, "%d/%d", &p.data, &p.parity)
		return err
	})
	return p
}

// ended reports a phase, and changes the ratio behind the first one.
func (p *phases) ended(conn *kcp.UDPSession, number int) error {
	data, parity := fecdiff.Ratio(conn)
	report(map[string]any{"event": "phase", "number": number, "ratio": []int{data, parity}, "snmp": counters()})
	if number == 1 && p.data > 0 {
		return fecdiff.ChangeRatio(conn, p.data, p.parity)
	}
	return nil
}

// FECServer runs `kcppeer fec-server`: echoes two phases of one session.
func FECServer(args []string) error {
	fs := flag.NewFlagSet("fec-server", flag.ExitOnError)
	o := transportFlags(fs, time.Minute)
	p := phaseFlags(fs)
	_ = fs.Parse(args)
	if err := o.finish(); err != nil {
		return err
	}
	l, err := kcp.ListenWithOptions("127.0.0.1:0", o.block, o.datashard, o.parityshard)
	if err != nil {
		return err
	}
	o.sockbufs(l)
	report(map[string]any{"event": "listening", "port": l.Addr().(*net.UDPAddr).Port})
	go func() {
		conn, err := l.AcceptKCP()
		if err == nil {
			err = errors.Join(o.apply(conn), p.echo(conn))
		}
		if err != nil {
			report(map[string]any{"event": "error", "error": err.Error()})
		}
	}()
	waitForEnd(o.timeout)
	return nil
}

func (p *phases) echo(conn *kcp.UDPSession) error {
	for number := 1; number <= 2; number++ {
		if _, err := io.CopyN(conn, conn, p.bytes); err != nil {
			return err
		}
		if err := p.ended(conn, number); err != nil {
			return err
		}
	}
	return nil
}

// FECClient runs `kcppeer fec-client ADDR`: sends two phases and compares what comes back.
func FECClient(args []string) error {
	fs := flag.NewFlagSet("fec-client", flag.ExitOnError)
	c := &client{options: transportFlags(fs, time.Minute), addr: args[0], chunk: 4096, linger: 300 * time.Millisecond}
	p := phaseFlags(fs)
	_ = fs.Parse(args[1:])
	if err := c.finish(); err != nil {
		return err
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	c.bytes = p.bytes
	for number := 1; number <= 2; number++ {
		c.seed = uint64(number)
		sent, back := sha256.New(), sha256.New()
		failed := make(chan error, 1)
		go func() { failed <- c.send(conn, sent) }()
		if _, err := io.CopyN(back, conn, p.bytes); err != nil {
			return err
		}
		if err := <-failed; err != nil {
			return err
		}
		if string(sent.Sum(nil)) != string(back.Sum(nil)) {
			return errors.New("what came back differs from what was sent")
		}
		if err := p.ended(conn, number); err != nil {
			return err
		}
	}
	c.leave(conn)
	return nil
}
