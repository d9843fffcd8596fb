package trace

import (
	"encoding/binary"
	"slices"

	"microkcp/peers/vtime"
)

const (
	headerBytes = 24
	cmdPush     = 81
	cmdAck      = 82
)

// segment is one segment inside a datagram: its header and its payload share the bytes.
type segment []byte

func (s segment) conv() uint32    { return binary.LittleEndian.Uint32(s) }
func (s segment) cmd() byte       { return s[4] }
func (s segment) ts() uint32      { return binary.LittleEndian.Uint32(s[8:]) }
func (s segment) length() uint32  { return binary.LittleEndian.Uint32(s[20:]) }
func (s segment) payload() []byte { return s[headerBytes:] }

// segments cuts a datagram as far as it makes sense; rest is what is left over.
func segments(datagram []byte, conv uint32) (list []segment, rest []byte) {
	rest = datagram
	for len(rest) >= headerBytes {
		s := segment(rest)
		end := headerBytes + int64(s.length())
		if s.conv() != conv || s.cmd() < cmdPush || s.cmd() > cmdPush+3 || end > int64(len(rest)) {
			break
		}
		list = append(list, s[:end])
		rest = rest[end:]
	}
	return list, rest
}

// mutate gives an altered copy of a datagram, as an attacker or a broken link would.
//
// Altered ACK timestamps stay within 2^28 ms of the clock: farther off, what "earlier" means
// depends on the width of the clock, and an implementation may have a narrower one.
func mutate(d dice, r *run, l *link, datagram []byte) []byte {
	for {
		b := alter(d, r, l, datagram)
		if acksNear(b, r.conv, vtime.KCPNow()) {
			return b
		}
	}
}

// acksNear tells if all ACKs carry a ts near now.
func acksNear(b []byte, conv, now uint32) bool {
	list, _ := segments(b, conv)
	for _, s := range list {
		if off := int32(s.ts() - now); s.cmd() == cmdAck && (off > 1<<28 || off < -(1<<28)) {
			return false
		}
	}
	return true
}

func alter(d dice, r *run, l *link, datagram []byte) []byte {
	b := slices.Clone(datagram)
	list, _ := segments(b, r.conv)
	s := list[d.IntN(len(list))]
	switch d.IntN(14) {
	case 0:
		return b[:d.IntN(len(b))]
	case 1:
		return randomBytes(d, d.between(1, 200))
	case 2: // an old datagram once more
		return l.history[d.IntN(len(l.history))]
	case 3: // noise behind it
		return append(b, randomBytes(d, d.between(1, 60))...)
	case 4:
		b[d.IntN(4)] ^= 1 << d.IntN(8)
	case 5:
		s[4] = byte(d.Uint32())
	case 6:
		s[5] = byte(d.oneOf(0, 1, 2, 3, 254, 255))
	case 7:
		binary.LittleEndian.PutUint16(s[6:], uint16(d.oneOf(0, 1, 5, 300, 65535)))
	case 8:
		binary.LittleEndian.PutUint32(s[8:], s.ts()+uint32(d.between(-(1<<d.between(1, 28)), 1<<d.between(1, 28))))
	case 9:
		edge := readField(r.ends[l.to].kcp, "snd_nxt")
		if s.cmd() == cmdPush {
			edge = readField(r.ends[l.to].kcp, "rcv_nxt") + uint32(d.oneOf(0, r.ends[l.to].conf.rcvwnd))
		}
		shiftField(d, s[12:], edge)
	case 10:
		shiftField(d, s[16:], readField(r.ends[l.to].kcp, "snd_nxt"))
	case 11:
		length := d.oneOf(0, 1, int(s.length())-1, int(s.length())+1, 1<<31, 1<<32-1, d.between(0, 2000))
		binary.LittleEndian.PutUint32(s[20:], uint32(length))
	case 12:
		if len(s.payload()) > 0 {
			s.payload()[d.IntN(len(s.payload()))] ^= 1 << d.IntN(8)
		}
	case 13: // two datagrams in one
		b = append(b, l.history[d.IntN(len(l.history))]...)
	}
	return b[:min(len(b), 1500)]
}

// shiftField moves a sequence number a little, or to the edge of a window, or anywhere.
func shiftField(d dice, field []byte, edge uint32) {
	sn := binary.LittleEndian.Uint32(field) + uint32(d.between(-5, 5))
	if d.chance(0.4) {
		sn = edge + uint32(d.between(-4, 2))
	} else if d.chance(0.2) {
		sn = d.Uint32()
	}
	binary.LittleEndian.PutUint32(field, sn)
}

func randomBytes(d dice, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}
