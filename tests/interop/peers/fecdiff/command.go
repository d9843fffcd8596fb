// Package fecdiff shows what kcp-go's FEC decoder and its auto-tuner make of generated sequences of packets, for
// comparison with ours: tests/interop/test_fec_diff.py describes the output. One seed gives one output.
package fecdiff

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
)

const (
	fecHead = 8
	rtoMs   = 1 << 30 // parity is made however slow this program is
	seqMax  = 0xFFFFFFFF
)

// Command is `kcppeer fecdiff tune|decode`.
func Command(args []string) error {
	if len(args) == 0 || (args[0] != "tune" && args[0] != "decode") {
		return fmt.Errorf("say which: tune or decode")
	}
	fs := flag.NewFlagSet("fecdiff", flag.ExitOnError)
	seed := fs.Uint64("seed", 1, "seed of the sequences")
	count := fs.Int("count", 1000, "how many sequences")
	kept := fs.Bool("newest-kept", false, "decode: leave kcp-go's newest group as it is when the ratio changes")
	_ = fs.Parse(args[1:])
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for i := range *count {
		random := rand.New(rand.NewPCG(*seed, uint64(i)))
		if args[0] == "tune" {
			tuneSequence(out, random, i)
		} else if err := decodeSequence(out, random, i, *kept); err != nil {
			return err
		}
	}
	return out.Flush()
}

// channel loses, doubles and delays what passes it.
type channel struct {
	loss, dup, late float64
	depth           int // by how many packets one may be late
}

// newChannel draws how bad a link is; a quarter are perfect.
func newChannel(random *rand.Rand) channel {
	pick := func(values ...float64) float64 { return values[random.IntN(len(values))] }
	if random.IntN(4) == 0 {
		return channel{}
	}
	loss := pick(0, 0.002, 0.02, 0.05, 0.1, 0.2, 0.3)
	return channel{loss, pick(0, 0, 0, 0.01, 0.1), pick(0, 0, 0, 0.02, 0.2), 1 + random.IntN(30)}
}

// order gives the indices of n packets in the order in which they arrive.
func (c channel) order(random *rand.Rand, n int) []int {
	slots := make([][]int, n+c.depth+1)
	put := func(i int) {
		at := i
		if random.Float64() < c.late {
			at += 1 + random.IntN(c.depth)
		}
		slots[at] = append(slots[at], i)
	}
	for i := range n {
		if random.Float64() < c.loss {
			continue
		}
		put(i)
		if random.Float64() < c.dup {
			put(i)
		}
	}
	var order []int
	for _, slot := range slots {
		order = append(order, slot...)
	}
	return order
}

func paws(n int) uint32 { return seqMax / uint32(n) * uint32(n) }

// ratio draws (data, parity): mostly small ones, any at times.
func ratio(random *rand.Rand) (data, parity int) {
	switch random.IntN(8) {
	case 0:
		n := 2 + random.IntN(254)
		data = 1 + random.IntN(n-1)
		return data, n - data
	case 1:
		return 1, 1 + random.IntN(3)
	case 2:
		return 10, 3
	default:
		return 1 + random.IntN(12), 1 + random.IntN(5)
	}
}
