package peer

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// vary is a client that changes its options in mid-life, and its conversation on one socket.
type vary struct {
	*options
	addr            string
	bytes, sessions int
	dup             int
	rate            uint
	mtus            []int
}

// VaryClient runs `kcppeer vary-client ADDR`: sessions of different conversations, one after the
// other, on one socket that the program owns; every byte must come back as it was sent.
func VaryClient(args []string) error {
	fs := flag.NewFlagSet("vary-client", flag.ExitOnError)
	v := &vary{options: transportFlags(fs, time.Minute)}
	fs.IntVar(&v.bytes, "bytes", 100000, "how many bytes each session sends")
	fs.IntVar(&v.sessions, "sessions", 1, "how many sessions, one after the other")
	fs.IntVar(&v.dup, "dup", 0, "SetDUP")
	fs.UintVar(&v.rate, "rate-limit", 0, "SetRateLimit, bytes per second")
	fs.Func("mtus", "SetMtu to each of these (1400,600,...) in the course of a session", func(text string) error {
		for _, word := range strings.Split(text, ",") {
			mtu, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			v.mtus = append(v.mtus, mtu)
		}
		return nil
	})
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		v.addr, args = args[0], args[1:]
	}
	_ = fs.Parse(args)
	if v.addr == "" || v.bytes <= 0 || v.sessions <= 0 {
		return errors.New("give HOST:PORT, and --bytes and --sessions above zero")
	}
	if err := v.finish(); err != nil {
		return err
	}
	start := time.Now()
	err := v.run()
	report(map[string]any{
		"event": "vary", "ok": err == nil, "seconds": time.Since(start).Seconds(), "snmp": counters(),
	})
	return err
}

func (v *vary) run() error {
	raddr, err := net.ResolveUDPAddr("udp", v.addr)
	if err != nil {
		return err
	}
	own, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer own.Close()
	for i := range v.sessions {
		conv := uint32(i+1) * 0x55555555
		conn, err := kcp.NewConn3(conv, raddr, v.block, v.datashard, v.parityshard, own)
		if err != nil {
			return err
		}
		if err := v.session(conn); err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
		time.Sleep(300 * time.Millisecond) // lets the last ACKs out
		if err := conn.Close(); err != nil {
			return err
		}
		if err := conn.Close(); err == nil {
			return errors.New("a second Close is no error")
		}
		// the closed session takes one more datagram from the socket, and then ends
	}
	return nil
}

// session echoes bytes in as many pieces as there are mtus, each with its own.
func (v *vary) session(conn *kcp.UDPSession) error {
	if err := v.apply(conn); err != nil {
		return err
	}
	conn.SetDUP(v.dup)
	conn.SetRateLimit(uint32(v.rate))
	if err := conn.SetDeadline(time.Now().Add(v.timeout)); err != nil {
		return err
	}
	data, back := make([]byte, v.bytes), make([]byte, v.bytes)
	if _, err := rand.Read(data); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- v.send(conn, data) }()
	if _, err := io.ReadFull(conn, back); err != nil {
		return err
	}
	if !bytes.Equal(data, back) {
		return errors.New("what came back differs from what was sent")
	}
	return <-failed
}

func (v *vary) send(conn *kcp.UDPSession, data []byte) error {
	mtus := v.mtus
	if len(mtus) == 0 {
		mtus = []int{v.mtu}
	}
	size := len(data)/len(mtus) + 1
	for _, mtu := range mtus {
		if !conn.SetMtu(mtu) {
			return fmt.Errorf("mtu %d refused", mtu)
		}
		part := data[:min(size, len(data))]
		data = data[len(part):]
		// two slices at once: kcp-go's vectored write
		if _, err := conn.WriteBuffers([][]byte{part[:len(part)/2], part[len(part)/2:]}); err != nil {
			return err
		}
	}
	return nil
}
