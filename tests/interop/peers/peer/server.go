package peer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// server accepts sessions and echoes or swallows what they send.
type server struct {
	*options
	sink      bool
	bytes     int64
	idle      time.Duration
	readBytes int
}

// Serve runs `kcppeer serve`: one JSON line with the port, then a line per finished session.
// It ends at --timeout or on SIGTERM/SIGINT, with a last line of kcp-go's counters.
func Serve(args []string) error {
	fs := flag.NewFlagSet("serve", flag.ExitOnError)
	s := &server{options: transportFlags(fs, 10*time.Minute)}
	listen := fs.String("listen", "127.0.0.1:0", "address to listen at; port 0 = any free one")
	fs.BoolVar(&s.sink, "sink", false, "swallow instead of echo")
	fs.Int64Var(&s.bytes, "bytes", 0, "sink: after this many bytes of a session answer with their SHA-256 (32 bytes)")
	progress := fs.Bool("progress", false, "tell four times a second how many bytes have been read")
	fs.IntVar(&s.readBytes, "read-bytes", 64<<10, "size of a session's read buffer")
	durationFlag(fs, &s.idle, "idle", 30*time.Second, "close a session from which nothing came for this long")
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
	if *progress {
		go tellProgress()
	}
	go s.accept(l)
	waitForEnd(s.timeout)
	report(map[string]any{"event": "end", "snmp": counters()})
	return nil
}

// waitForEnd returns at the time limit or when somebody asks the process to stop.
func waitForEnd(timeout time.Duration) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-stop:
	case <-time.After(timeout):
	}
}

func (s *server) accept(l *kcp.Listener) {
	for {
		conn, err := l.AcceptKCP()
		if err != nil {
			return
		}
		if err := s.apply(conn); err != nil {
			report(map[string]any{"event": "error", "error": err.Error()})
			conn.Close()
			continue
		}
		go s.session(conn)
	}
}

// session serves one peer until it has been silent for --idle, then reports it.
func (s *server) session(conn *kcp.UDPSession) {
	defer conn.Close()
	var n int64
	var err error
	start := time.Now()
	if s.sink {
		n, err = s.swallow(conn)
	} else {
		n, err = s.echo(conn)
	}
	fields := map[string]any{
		"event": "session", "peer": conn.RemoteAddr().String(), "conv": conn.GetConv(),
		"bytes": n, "seconds": time.Since(start).Seconds(), "rtt_ms": conn.GetSRTT(),
	}
	if err != nil && !isTimeout(err) {
		fields["error"] = err.Error()
	}
	report(fields)
}

func (s *server) echo(conn *kcp.UDPSession) (n int64, err error) {
	buf := make([]byte, s.readBytes)
	for {
		got, err := s.read(conn, buf)
		if err != nil {
			return n, err
		}
		if _, err := conn.Write(buf[:got]); err != nil {
			return n, err
		}
		n += int64(got)
	}
}

// swallow counts and hashes; each --bytes bytes are answered with their digest and reported.
func (s *server) swallow(conn *kcp.UDPSession) (n int64, err error) {
	buf := make([]byte, s.readBytes)
	hash := sha256.New()
	var start time.Time
	var part int64
	for {
		got, err := s.read(conn, buf)
		if err != nil {
			return n, err
		}
		if part == 0 {
			start = time.Now()
		}
		n += int64(got)
		part += int64(got)
		hash.Write(buf[:got])
		if s.bytes == 0 || part < s.bytes {
			continue
		}
		digest := hash.Sum(nil)
		reportSpeed("sink", part, time.Since(start), map[string]any{"sha256": hex.EncodeToString(digest)})
		if _, err := conn.Write(digest); err != nil {
			return n, err
		}
		part = 0
		hash.Reset()
	}
}

func (s *server) read(conn *kcp.UDPSession, buf []byte) (int, error) {
	if err := conn.SetReadDeadline(time.Now().Add(s.idle)); err != nil {
		return 0, err
	}
	return conn.Read(buf)
}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

// reportSpeed prints what a transfer came to (MB = 10^6 bytes).
func reportSpeed(event string, n int64, took time.Duration, fields map[string]any) {
	fields["event"] = event
	fields["bytes"] = n
	fields["seconds"] = took.Seconds()
	fields["mb_per_s"] = float64(n) / 1e6 / max(took.Seconds(), 1e-9)
	report(fields)
}
