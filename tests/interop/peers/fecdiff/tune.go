package fecdiff

import (
	"fmt"
	"io"
	"math/rand/v2"
)

// pulse is what the tuner is told of a packet.
type pulse struct {
	data  bool
	seqid uint32
}

// tuneSequence writes one line: the samples and, wherever the tuner is asked, what it has found.
func tuneSequence(out io.Writer, random *rand.Rand, number int) {
	pulses := pulses(random)
	t := newTuner()
	fmt.Fprintf(out, "%d", number)
	every := 1 + random.IntN(40)
	ask := func() {
		data, parity := t.find()
		fmt.Fprintf(out, " ?%d/%d", data, parity)
	}
	ask()
	for i, p := range pulses {
		t.sample(p.data, p.seqid)
		kind := "p"
		if p.data {
			kind = "d"
		}
		fmt.Fprintf(out, " %d%s", p.seqid, kind)
		if i%every == every-1 {
			ask()
		}
	}
	ask()
	fmt.Fprintln(out)
}

// start draws a first seqid: 0, any, or shortly before the numbers begin again.
func start(random *rand.Rand, n int) uint32 {
	group := uint32(0)
	switch random.IntN(4) {
	case 0:
		group = random.Uint32() / uint32(n)
	case 1:
		group = paws(n)/uint32(n) - 1 - uint32(random.IntN(10))
	}
	return group * uint32(n) % paws(n)
}

// pulses draws a sequence of samples, up to some times what the tuner can keep.
func pulses(random *rand.Rand) []pulse {
	switch random.IntN(12) {
	case 0:
		return noise(random)
	case 1: // one kind alone: a sender that skips all parity, or nothing but parity
		n := 1 + random.IntN(600)
		sent := make([]pulse, n)
		kind := random.IntN(2) == 0
		first := start(random, 13)
		for i := range sent {
			sent[i] = pulse{kind, first + uint32(i)}
		}
		return through(random, sent)
	}
	var sent []pulse
	data, parity := ratio(random)
	seqid := start(random, data+parity)
	for phases := 1 + random.IntN(4); phases > 0; phases-- {
		n := data + parity
		skips := random.IntN(4) == 0 // some groups come without their parity
		skipped := false
		for i := random.IntN(400); i > 0; i-- {
			place := int(seqid % uint32(n))
			if place == data {
				skipped = skips && random.IntN(2) == 0
			}
			if place < data || !skipped {
				sent = append(sent, pulse{place < data, seqid})
			}
			if seqid++; seqid >= paws(n) && random.IntN(10) > 0 { // (an ill-behaved one counts on to 2^32)
				seqid = 0
			}
		}
		data, parity = ratio(random)
		if random.IntN(2) == 0 { // as a sender should: from a multiple of the new number on
			n := uint32(data + parity)
			seqid = (seqid + n - 1) / n * n % paws(data+parity)
		}
	}
	return through(random, sent)
}

func through(random *rand.Rand, sent []pulse) []pulse {
	var got []pulse
	for _, i := range newChannel(random).order(random, len(sent)) {
		got = append(got, sent[i])
	}
	return got
}

// noise is kinds at random, in order: short runs, where every edge of the rules is met.
func noise(random *rand.Rand) []pulse {
	first := random.Uint32()
	got := make([]pulse, random.IntN(40))
	share := random.Float64()
	for i := range got {
		got[i] = pulse{random.Float64() < share, first + uint32(i)}
	}
	return got
}
