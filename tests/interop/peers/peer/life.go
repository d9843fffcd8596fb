package peer

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// life is a client that does as it is told on standard input, from a port and with a conversation
// that are given, so that another process can be its restarted self.
type life struct {
	*options
	addr, local string
	conv        uint
	wait        time.Duration
}

// LifeClient runs `kcppeer life-client ADDR`. Each line "N" sends N bytes and waits for as many,
// at most --wait; a JSON line says how many came back. "close" closes the session; the end of
// standard input ends the process without.
func LifeClient(args []string) error {
	fs := flag.NewFlagSet("life-client", flag.ExitOnError)
	l := &life{options: transportFlags(fs, time.Minute)}
	fs.StringVar(&l.local, "local", "127.0.0.1:0", "address to send from")
	fs.UintVar(&l.conv, "conv", 1, "conversation number")
	durationFlag(fs, &l.wait, "wait", time.Second, "how long to wait for an echo")
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		l.addr, args = args[0], args[1:]
	}
	_ = fs.Parse(args)
	if l.addr == "" {
		return errors.New("give HOST:PORT")
	}
	if err := l.finish(); err != nil {
		return err
	}
	return l.run()
}

func (l *life) run() error {
	raddr, err := net.ResolveUDPAddr("udp4", l.addr)
	if err != nil {
		return err
	}
	laddr, err := net.ResolveUDPAddr("udp4", l.local)
	if err != nil {
		return err
	}
	own, err := net.ListenUDP("udp4", laddr)
	if err != nil {
		return err
	}
	conn, err := kcp.NewConn4(uint32(l.conv), raddr, l.block, l.datashard, l.parityshard, true, own)
	if err != nil {
		return err
	}
	if err := l.apply(conn); err != nil {
		return err
	}
	report(map[string]any{"event": "ready", "port": own.LocalAddr().(*net.UDPAddr).Port})
	return l.obey(conn)
}

func (l *life) obey(conn *kcp.UDPSession) error {
	end := time.AfterFunc(l.timeout, func() { os.Exit(3) })
	defer end.Stop()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		word := strings.TrimSpace(lines.Text())
		if word == "close" {
			report(map[string]any{"event": "closed", "ok": conn.Close() == nil})
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		got, err := l.echo(conn, n)
		fields := map[string]any{"event": "echo", "back": got, "snmp": counters()}
		if err != nil && !isTimeout(err) {
			fields["error"] = err.Error()
		}
		report(fields)
	}
	return lines.Err()
}

// echo counts the bytes that come back; all must be the one that was sent.
func (l *life) echo(conn *kcp.UDPSession, n int) (int, error) {
	if err := conn.SetDeadline(time.Now().Add(l.wait)); err != nil {
		return 0, err
	}
	if _, err := conn.Write(bytes.Repeat([]byte{'x'}, n)); err != nil {
		return 0, err
	}
	return io.ReadFull(conn, make([]byte, n))
}
