package vectors

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/klauspost/reedsolomon"
)

// rsVectors writes `shards DATA PARITY`, then a line `data BYTES` or `parity BYTES` for each shard.
func rsVectors(out *strings.Builder) error {
	for i, c := range []struct {
		data, parity int
		sizes        []int
	}{
		{10, 3, []int{64, 37}},
		{3, 2, []int{64, 1}},
		{20, 10, []int{64, 37}},
		{1, 1, []int{64, 37}},
		{4, 4, []int{64, 37}},
		{128, 127, []int{16, 7}}, // short ones: there are 255
	} {
		codec, err := reedsolomon.New(c.data, c.parity)
		if err != nil {
			return err
		}
		for _, size := range c.sizes {
			random := pattern(0x7654321 + i*1000 + size)
			shards := make([][]byte, c.data+c.parity)
			for k := range shards {
				shards[k] = make([]byte, size)
			}
			for _, shard := range shards[:c.data] {
				_, _ = random.Read(shard)
			}
			if err := codec.Encode(shards); err != nil {
				return err
			}
			fmt.Fprintf(out, "shards %d %d\n", c.data, c.parity)
			for k, shard := range shards {
				kind := "data"
				if k >= c.data {
					kind = "parity"
				}
				fmt.Fprintf(out, "%s %x\n", kind, shard)
			}
		}
	}
	return nil
}

// kcp-go's own encoder, which it does not export.

//go:linkname newFECEncoder github.com/xtaci/kcp-go/v5.newFECEncoder
func newFECEncoder(data, parity, offset int) unsafe.Pointer

//go:linkname fecEncode github.com/xtaci/kcp-go/v5.(*fecEncoder).encode
func fecEncode(encoder unsafe.Pointer, packet []byte, rto uint32) [][]byte

const (
	fecHead   = 8
	fecRtoMs  = 500 // what kcp-go's session asks for
	mtuLimit  = 1500
	nGroups   = 3
	shortGap  = 20 * time.Millisecond
	longGap   = 500 * time.Millisecond
	almostGap = 499 * time.Millisecond
)

// fecVectors writes `encoder DATA PARITY`, then in the order of the wire `data MS PAYLOAD HEAD` and
// `parity MS PACKET`: what kcp-go's encoder makes of payloads of different lengths that come at virtual times.
func fecVectors(out *strings.Builder) error {
	for _, c := range []struct{ data, parity int }{{10, 3}, {3, 2}, {1, 1}, {2, 5}} {
		encoder := newFECEncoder(c.data, c.parity, 0)
		if encoder == nil {
			return errors.New("kcp-go refuses the ratio")
		}
		fmt.Fprintf(out, "encoder %d %d\n", c.data, c.parity)
		random := pattern(c.data<<8 | c.parity)
		begin := time.Now()
		for i := range nGroups * c.data {
			// In the middle group the last packet comes too late, in the last group almost.
			switch {
			case i == 2*c.data-1:
				time.Sleep(longGap)
			case i == 3*c.data-1:
				time.Sleep(almostGap)
			default:
				time.Sleep(shortGap)
			}
			packet := make([]byte, fecHead, mtuLimit)
			packet = append(packet, random.bytes(24+(i*37+c.parity*5)%120)...)
			parity := fecEncode(encoder, packet, fecRtoMs)
			ms := time.Since(begin).Milliseconds()
			fmt.Fprintf(out, "data %d %x %x\n", ms, packet[fecHead:], packet[:fecHead])
			for _, packet := range parity {
				fmt.Fprintf(out, "parity %d %x\n", ms, packet)
			}
		}
	}
	return nil
}
