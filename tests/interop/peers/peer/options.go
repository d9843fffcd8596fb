// Package peer holds the kcp-go ends of the interop tests: servers and clients over real UDP.
package peer

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// options are kcptun's flags for the transport, as far as kcp-go itself knows them.
type options struct {
	crypt, key, mode                string
	mtu, sndwnd, rcvwnd             int
	nodelay, interval, resend, nc   int
	datashard, parityshard, sockbuf int
	stream, acknodelay, writeDelay  bool
	timeout                         time.Duration
	block                           kcp.BlockCrypt
}

// presets are kcptun's modes: nodelay, interval in ms, resend, nc.
var presets = map[string][4]int{
	"normal": {0, 40, 2, 1},
	"fast":   {0, 30, 2, 1},
	"fast2":  {1, 20, 2, 1},
	"fast3":  {1, 10, 2, 1},
}

// transportFlags declares the flags that every subcommand over UDP shares.
func transportFlags(fs *flag.FlagSet, timeout time.Duration) *options {
	o := &options{}
	fs.StringVar(&o.crypt, "crypt", "null", "null (no crypt layer), none (nonce + CRC), aes, aes-128, ... as in kcptun")
	fs.StringVar(&o.key, "key", "microkcp", "shared secret, stretched as kcptun does it; hex:... gives the cipher's key itself")
	fs.StringVar(&o.mode, "mode", "fast", "normal, fast, fast2, fast3, or manual: as --nodelay, --interval, --resend, --nc say")
	fs.IntVar(&o.mtu, "mtu", 1350, "largest UDP payload")
	fs.IntVar(&o.sndwnd, "sndwnd", 1024, "send window in packets")
	fs.IntVar(&o.rcvwnd, "rcvwnd", 1024, "receive window in packets")
	fs.IntVar(&o.nodelay, "nodelay", 0, "manual mode: 1 = short retransmission timeouts")
	fs.IntVar(&o.interval, "interval", 50, "manual mode: flush interval in ms")
	fs.IntVar(&o.resend, "resend", 0, "manual mode: fast-resend threshold, 0 = off")
	fs.IntVar(&o.nc, "nc", 0, "manual mode: 1 = no congestion window")
	fs.IntVar(&o.datashard, "datashard", 0, "FEC data shards, 0 = no FEC")
	fs.IntVar(&o.parityshard, "parityshard", 0, "FEC parity shards, 0 = no FEC")
	fs.IntVar(&o.sockbuf, "sockbuf", 4194304, "socket buffers in bytes")
	fs.BoolVar(&o.stream, "stream", true, "stream mode (--stream=false: message mode)")
	fs.BoolVar(&o.acknodelay, "acknodelay", false, "flush ACKs after every input packet")
	fs.BoolVar(&o.writeDelay, "write-delay", false, "leave writes to the next tick")
	durationFlag(fs, &o.timeout, "timeout", timeout, "give up (clients) or end (servers) after this long")
	return o
}

// durationFlag declares a flag that takes seconds ("2.5") or Go's notation ("2m30s").
func durationFlag(fs *flag.FlagSet, p *time.Duration, name string, value time.Duration, about string) {
	*p = value
	about = fmt.Sprintf("%s: seconds, or 300ms, 2m, ... (default %v)", about, value)
	fs.Func(name, about, func(text string) error {
		if seconds, err := strconv.ParseFloat(text, 64); err == nil {
			*p = time.Duration(seconds * float64(time.Second))
			return nil
		}
		d, err := time.ParseDuration(text)
		*p = d
		return err
	})
}

// finish checks the parsed flags and resolves what follows from them.
func (o *options) finish() error {
	if p, ok := presets[o.mode]; ok {
		o.nodelay, o.interval, o.resend, o.nc = p[0], p[1], p[2], p[3]
	} else if o.mode != "manual" {
		return fmt.Errorf("--mode %s: give normal, fast, fast2, fast3 or manual", o.mode)
	}
	if o.timeout <= 0 {
		return errors.New("--timeout must be above zero")
	}
	block, err := NewBlock(o.crypt, o.key)
	o.block = block
	return err
}

// apply sets the options on a session of either side.
func (o *options) apply(s *kcp.UDPSession) error {
	s.SetStreamMode(o.stream)
	s.SetWriteDelay(o.writeDelay)
	s.SetNoDelay(o.nodelay, o.interval, o.resend, o.nc)
	s.SetWindowSize(o.sndwnd, o.rcvwnd)
	s.SetACKNoDelay(o.acknodelay)
	if !s.SetMtu(o.mtu) {
		return fmt.Errorf("--mtu %d leaves no room for a segment", o.mtu)
	}
	return nil
}

// buffered is what a session and a listener have in common here.
type buffered interface {
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}

// sockbufs asks for large socket buffers; what the system grants is its business.
func (o *options) sockbufs(conn buffered) {
	_ = conn.SetReadBuffer(o.sockbuf)
	_ = conn.SetWriteBuffer(o.sockbuf)
}
