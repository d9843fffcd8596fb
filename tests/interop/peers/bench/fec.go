package bench

import (
	"errors"
	"unsafe"
)

// kcp-go's own encoder and decoder, which it does not export.

//go:linkname newFECEncoder github.com/xtaci/kcp-go/v5.newFECEncoder
func newFECEncoder(data, parity, offset int) unsafe.Pointer

//go:linkname fecEncode github.com/xtaci/kcp-go/v5.(*fecEncoder).encode
func fecEncode(encoder unsafe.Pointer, packet []byte, rto uint32) [][]byte

//go:linkname newFECDecoder github.com/xtaci/kcp-go/v5.newFECDecoder
func newFECDecoder(data, parity int) unsafe.Pointer

//go:linkname fecDecode github.com/xtaci/kcp-go/v5.(*fecDecoder).decode
func fecDecode(decoder unsafe.Pointer, packet []byte) [][]byte

//go:linkname bufferPool github.com/xtaci/kcp-go/v5.defaultBufferPool
var bufferPool unsafe.Pointer

//go:linkname poolPut github.com/xtaci/kcp-go/v5.(*bufferPool).Put
func poolPut(pool unsafe.Pointer, buf []byte) error

const (
	dataShards   = 10
	parityShards = 3
	groupShards  = dataShards + parityShards
	rtoMs        = 200
	groupMB      = dataShards * packetBytes / 1e6
)

// fecEncodeOperation is one group: ten data packets of 1400 bytes pass, three parity packets come out.
func fecEncodeOperation() (*operation, error) {
	encoder := newFECEncoder(dataShards, parityShards, 0)
	packet := make([]byte, packetBytes, 1500)
	return &operation{megabytes, groupMB, func(n int) error {
		for range n {
			for i := range dataShards {
				parity := fecEncode(encoder, packet, rtoMs)
				if i == dataShards-1 && len(parity) != parityShards {
					return errors.New("no parity")
				}
			}
		}
		return nil
	}}, nil
}

// group makes the packets of a group: ten data packets that differ, and their parity.
func group() [][]byte {
	encoder := newFECEncoder(dataShards, parityShards, 0)
	var packets [][]byte
	for i := range dataShards {
		packet := make([]byte, packetBytes, 1500)
		for j := range packet {
			packet[j] = byte(i*j + j)
		}
		parity := fecEncode(encoder, packet, rtoMs)
		packets = append(packets, packet)
		packets = append(packets, parity...)
	}
	return packets
}

// fecDecodeOperation is one group of which the first `lost` data packets are missing.
func fecDecodeOperation(lost int) (*operation, error) {
	decoder := newFECDecoder(dataShards, parityShards)
	packets := group()
	if len(packets) != groupShards {
		return nil, errors.New("no parity")
	}
	number := uint32(0)
	return &operation{megabytes, groupMB, func(n int) error {
		for range n {
			repaired := 0
			for i := lost; i < groupShards; i++ {
				putSeqid(packets[i], number*groupShards+uint32(i))
				for _, packet := range fecDecode(decoder, packets[i]) {
					repaired++
					_ = poolPut(bufferPool, packet)
				}
			}
			if repaired != lost {
				return errors.New("not repaired")
			}
			number++
		}
		return nil
	}}, nil
}

func putSeqid(packet []byte, seqid uint32) {
	for i := range 4 {
		packet[i] = byte(seqid >> (8 * i))
	}
}
