package peer

import (
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"sync"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// pipe joins one session with standard input and output.
type pipe struct {
	*options
	after time.Duration
}

// Pipe runs `kcppeer pipe ADDR` (a client) or `kcppeer pipe --listen ADDR` (a server of one client
// after the other, for which standard input is shared): what comes in on standard input goes into
// the session, what comes out of it to standard output. It ends so long after the end of the input.
func Pipe(args []string) error {
	fs := flag.NewFlagSet("pipe", flag.ExitOnError)
	p := &pipe{options: transportFlags(fs, 10*time.Minute)}
	listen := fs.String("listen", "", "be a server at this address; its first line of output tells the port")
	durationFlag(fs, &p.after, "after", 2*time.Second, "go on for so long after the last byte, once the input has ended")
	addr := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		addr, args = args[0], args[1:]
	}
	_ = fs.Parse(args)
	if err := p.finish(); err != nil {
		return err
	}
	if *listen != "" {
		return p.serve(*listen)
	}
	if addr == "" {
		return errors.New("give HOST:PORT, or --listen")
	}
	conn, err := kcp.DialWithOptions(addr, p.block, p.datashard, p.parityshard)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := p.apply(conn); err != nil {
		return err
	}
	return p.run(conn)
}

// run copies both ways until the input has ended and nothing has come for a while.
func (p *pipe) run(conn *kcp.UDPSession) error {
	heard := make(chan struct{}, 1)
	failed := make(chan error, 2)
	ended := make(chan struct{})
	go func() {
		_, err := io.Copy(conn, os.Stdin)
		if err != nil {
			failed <- err
		}
		close(ended)
	}()
	go func() { failed <- toOutput(conn, heard) }()
	limit := time.After(p.timeout)
	for {
		var quiet <-chan time.Time
		select {
		case <-ended:
			quiet = time.After(p.after)
		default:
		}
		select {
		case err := <-failed:
			return err
		case <-limit:
			return errors.New("the time is up")
		case <-quiet:
			return nil
		case <-heard:
		case <-whileOpen(ended):
		}
	}
}

// whileOpen is the channel itself, or one that never speaks if it is closed already.
func whileOpen(c chan struct{}) <-chan struct{} {
	select {
	case <-c:
		return nil
	default:
		return c
	}
}

// toOutput prints what comes, and says after each piece that it came.
func toOutput(conn io.Reader, heard chan<- struct{}) error {
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		if _, err := os.Stdout.Write(buf[:n]); err != nil {
			return err
		}
		select {
		case heard <- struct{}{}:
		default:
		}
	}
}

// serve prints what the clients say until the time is up or somebody asks it to stop.
func (p *pipe) serve(address string) error {
	l, err := kcp.ListenWithOptions(address, p.block, p.datashard, p.parityshard)
	if err != nil {
		return err
	}
	defer l.Close()
	report(map[string]any{"event": "listening", "port": l.Addr().(*net.UDPAddr).Port})
	var clients latest
	go clients.feed(os.Stdin)
	go func() {
		for {
			conn, err := l.AcceptKCP()
			if err != nil {
				return
			}
			if p.apply(conn) == nil {
				clients.set(conn)
				go func() { _ = toOutput(conn, nil) }()
			}
		}
	}()
	waitForEnd(p.timeout)
	return nil
}

// latest is the client that came last: to it goes what is typed.
type latest struct {
	mutex sync.Mutex
	conn  *kcp.UDPSession
}

func (l *latest) set(conn *kcp.UDPSession) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.conn = conn
}

// feed hands on what is typed; what comes before the first client is dropped.
func (l *latest) feed(input io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := input.Read(buf)
		if err != nil {
			return
		}
		l.mutex.Lock()
		if l.conn != nil {
			_, _ = l.conn.Write(buf[:n])
		}
		l.mutex.Unlock()
	}
}
