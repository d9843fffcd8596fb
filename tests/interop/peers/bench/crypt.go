package bench

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"

	kcp "github.com/xtaci/kcp-go/v5"

	"microkcp/peers/peer"
)

const (
	nonceBytes = 16
	headBytes  = nonceBytes + 4
)

// framer seals and opens a datagram as kcp-go's session does: nonce, CRC, cipher or AEAD.
type framer struct {
	random io.Reader
	block  kcp.BlockCrypt
	aead   cipher.AEAD
}

func (f *framer) seal(packet []byte) []byte {
	if f.aead != nil {
		n := f.aead.NonceSize()
		_, _ = io.ReadFull(f.random, packet[:n])
		return packet[:n+len(f.aead.Seal(packet[n:n], packet[:n], packet[n:], nil))]
	}
	_, _ = io.ReadFull(f.random, packet[:nonceBytes])
	binary.LittleEndian.PutUint32(packet[nonceBytes:], crc32.ChecksumIEEE(packet[headBytes:]))
	f.block.Encrypt(packet, packet)
	return packet
}

func (f *framer) open(packet []byte) bool {
	if f.aead != nil {
		n := f.aead.NonceSize()
		_, err := f.aead.Open(packet[n:n], packet[:n], packet[n:], nil)
		return err == nil
	}
	f.block.Decrypt(packet, packet)
	return binary.LittleEndian.Uint32(packet[nonceBytes:]) == crc32.ChecksumIEEE(packet[headBytes:])
}

// cryptOperation is one datagram of 1400 bytes; opening begins with a copy, because it is in place.
func cryptOperation(name string) (*operation, error) {
	verb, crypt, _ := strings.Cut(name, "-")
	if verb != "seal" && verb != "open" {
		return nil, nil
	}
	block, err := peer.NewBlock(crypt, "benchmark")
	if err != nil {
		return nil, err
	}
	f := &framer{random: kcp.NewEntropy(), block: block}
	room := 0
	if aead, ok := block.(cipher.AEAD); ok {
		f.aead, room = aead, aead.Overhead()
	}
	buf := make([]byte, packetBytes, 1500)
	if verb == "seal" {
		return perPacket(func() bool { f.seal(buf[:packetBytes-room]); return true }), nil
	}
	sealed := append([]byte(nil), f.seal(buf[:packetBytes-room])...)
	return perPacket(func() bool {
		copy(buf, sealed)
		return f.open(buf[:packetBytes])
	}), nil
}

func perPacket(once func() bool) *operation {
	return &operation{megabytes, packetBytes / 1e6, func(n int) error {
		for range n {
			if !once() {
				return errors.New("a packet was refused")
			}
		}
		return nil
	}}
}

// crcOperation is the checksum of one datagram.
func crcOperation() *operation {
	buf := make([]byte, packetBytes)
	sum := uint32(0)
	return perPacket(func() bool { sum += crc32.ChecksumIEEE(buf[headBytes:]); return true })
}

// nonceOperation is 16 random bytes from kcp-go's generator.
func nonceOperation() *operation {
	random, nonce := kcp.NewEntropy(), make([]byte, nonceBytes)
	return &operation{thousands, 1e-3, func(n int) error {
		for range n {
			if _, err := io.ReadFull(random, nonce); err != nil {
				return err
			}
		}
		return nil
	}}
}
