package vectors

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strings"
	"sync/atomic"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"microkcp/peers/peer"
)

const (
	conv       = 0x98765432
	nonceBytes = 16
	headBytes  = nonceBytes + 4
	aeadNonce  = 12
	aeadTag    = 16
	patience   = 5 * time.Second
)

// ciphers are all of kcp-go's, with the length of the key of each vector.
var ciphers = []struct {
	name     string
	keyBytes int
}{
	{"none", 0},
	{"xor", 32},
	{"salsa20", 32},
	{"aes-128", 16}, {"aes-192", 24}, {"aes-256", 32},
	{"aes-128-gcm", 16}, {"aes-192-gcm", 24}, {"aes-256-gcm", 32},
	{"sm4", 16},
	{"twofish", 32},
	{"3des", 24},
	{"blowfish", 32},
	{"cast5", 16},
	{"tea", 16}, {"xtea", 16},
	{"chacha20-poly1305", 32},
}

// aead is what kcp-go's session looks for.
type aead interface {
	Seal(dst, nonce, plaintext, additionalData []byte) []byte
}

// cryptVectors writes `payload BYTES`, then `packet NAME KEY NONCE WIRE` for packets that carry the payload that
// fits (there is one of each length). Each packet is shown to a real kcp-go session, which must take it.
func cryptVectors(out *strings.Builder) error {
	payloads := map[int][]byte{}
	for _, size := range []int{52, 1389, 1400} {
		for _, n := range []int{size - headBytes, size - aeadNonce - aeadTag} {
			payloads[n] = payload(n)
			fmt.Fprintf(out, "payload %x\n", payloads[n])
		}
	}
	for i, cipher := range ciphers {
		random := pattern(0x1234567 + i)
		key := random.bytes(cipher.keyBytes)
		block, err := peer.NewBlock(cipher.name, "hex:"+hex.EncodeToString(key))
		if err != nil {
			return err
		}
		for _, size := range []int{52, 1389, 1400} {
			nonce, wire := seal(block, &random, payloads, size)
			if err := accepted(block, wire); err != nil {
				return fmt.Errorf("%s, %d bytes: %w", cipher.name, size, err)
			}
			fmt.Fprintf(out, "packet %s %s %x %x\n", cipher.name, hexOrDash(key), nonce, wire)
		}
	}
	return nil
}

func hexOrDash(key []byte) string {
	if len(key) == 0 {
		return "-"
	}
	return hex.EncodeToString(key)
}

// payload is one segment that a session takes: a PUSH, or without data a WINS.
func payload(n int) []byte {
	random := pattern(n)
	p := random.bytes(n)
	binary.LittleEndian.PutUint32(p, conv)
	p[4], p[5] = kcp.IKCP_CMD_PUSH, 0
	if n == kcp.IKCP_OVERHEAD {
		p[4] = kcp.IKCP_CMD_WINS
	}
	binary.LittleEndian.PutUint32(p[12:], 0) // sn
	binary.LittleEndian.PutUint32(p[16:], 0) // una
	binary.LittleEndian.PutUint32(p[20:], uint32(n-kcp.IKCP_OVERHEAD))
	return p
}

// seal frames and encrypts as kcp-go's session does.
func seal(block kcp.BlockCrypt, random *pattern, payloads map[int][]byte, size int) (nonce, wire []byte) {
	wire = make([]byte, size)
	if block, ok := block.(aead); ok {
		nonce = random.bytes(aeadNonce)
		copy(wire, nonce)
		block.Seal(wire[aeadNonce:aeadNonce], nonce, payloads[size-aeadNonce-aeadTag], nil)
		return nonce, wire
	}
	nonce = random.bytes(nonceBytes)
	copy(wire, nonce)
	copy(wire[headBytes:], payloads[size-headBytes])
	binary.LittleEndian.PutUint32(wire[nonceBytes:], crc32.ChecksumIEEE(wire[headBytes:]))
	block.Encrypt(wire, wire)
	return nonce, wire
}

// accepted asks a real session of kcp-go, which must find nothing wrong with the datagram.
func accepted(block kcp.BlockCrypt, wire []byte) error {
	conn := newConn()
	session, err := kcp.NewConn3(conv, conn.LocalAddr(), block, 0, 0, conn)
	if err != nil {
		return err
	}
	defer session.Close()
	defer conn.Close()
	before := kcp.DefaultSnmp.Copy()
	conn.in <- append([]byte(nil), wire...)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if atomic.LoadUint64(&kcp.DefaultSnmp.InPkts) == before.InPkts+1 {
			break
		}
	}
	after := kcp.DefaultSnmp.Copy()
	if after.InPkts != before.InPkts+1 || after.InCsumErrors != before.InCsumErrors ||
		after.KCPInErrors != before.KCPInErrors || after.InErrs != before.InErrs {
		return errors.New("kcp-go does not take the packet")
	}
	return nil
}

// conn is a packet connection that reads what is put into `in` and forgets what is written.
type conn struct {
	in   chan []byte
	done chan struct{}
}

func newConn() *conn { return &conn{make(chan []byte, 1), make(chan struct{})} }

func (c *conn) ReadFrom(buf []byte) (int, net.Addr, error) {
	select {
	case data := <-c.in:
		return copy(buf, data), c.LocalAddr(), nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

func (c *conn) WriteTo(buf []byte, _ net.Addr) (int, error) { return len(buf), nil }
func (c *conn) LocalAddr() net.Addr                         { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (c *conn) Close() error                                { close(c.done); return nil }
func (c *conn) SetDeadline(time.Time) error                 { return nil }
func (c *conn) SetReadDeadline(time.Time) error             { return nil }
func (c *conn) SetWriteDeadline(time.Time) error            { return nil }
