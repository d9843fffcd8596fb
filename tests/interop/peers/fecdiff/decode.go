package fecdiff

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

const typeData = 0xf1

// decodeSequence writes `sequence NUMBER DATA PARITY`, then a line for each packet that arrives:
// the packet, the ratio after it (with a ? while it is searched for), the payloads that were repaired (a ! behind one
// that was never sent).
//
// kcp-go forgets to begin anew with its newest group when the ratio changes (and begins with group 0), so that after a
// change to larger groups it repairs nothing for a long time. Unless `kept`, this is put right here.
func decodeSequence(out io.Writer, random *rand.Rand, number int, kept bool) error {
	data, parity := ratio(random)
	sent, err := packets(random, data, parity)
	if err != nil {
		return err
	}
	switch random.IntN(4) {
	case 0:
		data, parity = 1, 1
	case 1:
		data, parity = ratio(random)
	} // else it is set as the sender is
	fmt.Fprintf(out, "sequence %d %d %d\n", number, data, parity)
	real := make(map[string]bool)
	for _, packet := range sent {
		if packet[4] == typeData {
			real[string(packet[fecHead:])] = true
		}
	}
	d := newDecoder(data, parity)
	for i, index := range newChannel(random).order(random, len(sent)) {
		packet := sent[index]
		seqid := binary.LittleEndian.Uint32(packet)
		if i == 0 && !kept {
			d.setNewest(seqid / uint32(data+parity))
		}
		repaired := d.decode(packet)
		newData, newParity := d.ratio()
		if (newData != data || newParity != parity) && !kept {
			d.setNewest(seqid / uint32(newData+newParity))
		}
		data, parity = newData, newParity
		mark := ""
		if d.tuning() {
			mark = "?"
		}
		fmt.Fprintf(out, "%x %d/%d%s", packet, data, parity, mark)
		for _, payload := range repaired {
			fmt.Fprintf(out, " %x", payload)
			if !real[string(payload)] {
				fmt.Fprint(out, "!")
			}
		}
		fmt.Fprintln(out)
	}
	return nil
}

// packets draws what a sender sends: groups of payloads of any length, parity skipped at times, the ratio changed.
func packets(random *rand.Rand, data, parity int) ([][]byte, error) {
	var sent [][]byte
	first := start(random, data+parity)
	for phases := 1 + random.IntN(2)*random.IntN(3); phases > 0; phases-- {
		e, err := newEncoder(data, parity, 0, first)
		if err != nil {
			return nil, err
		}
		pauses := random.IntN(4) == 0
		for i := random.IntN(300); i > 0; i-- {
			if pauses && random.IntN(2*data) == 0 {
				e.pause()
			}
			payload := make([]byte, 1+random.IntN(20))
			for k := range payload {
				payload[k] = byte(random.Uint32())
			}
			sent = append(sent, e.encode(payload)...)
		}
		first = e.next()
		data, parity = ratio(random)
		if random.IntN(3) > 0 {
			n := uint32(data + parity)
			first = (first + n - 1) / n * n % paws(data+parity)
		}
	}
	return sent, nil
}
