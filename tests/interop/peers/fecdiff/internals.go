package fecdiff

import (
	"encoding/binary"
	"errors"
	"reflect"
	"time"
	"unsafe"

	kcp "github.com/xtaci/kcp-go/v5"
)

// kcp-go's own encoder, decoder and auto-tuner, which it does not export.

//go:linkname newFECEncoder github.com/xtaci/kcp-go/v5.newFECEncoder
func newFECEncoder(data, parity, offset int) unsafe.Pointer

//go:linkname fecEncode github.com/xtaci/kcp-go/v5.(*fecEncoder).encode
func fecEncode(encoder unsafe.Pointer, packet []byte, rto uint32) [][]byte

//go:linkname newFECDecoder github.com/xtaci/kcp-go/v5.newFECDecoder
func newFECDecoder(data, parity int) unsafe.Pointer

//go:linkname fecDecode github.com/xtaci/kcp-go/v5.(*fecDecoder).decode
func fecDecode(decoder unsafe.Pointer, packet []byte) [][]byte

//go:linkname tuneSample github.com/xtaci/kcp-go/v5.(*autoTune).Sample
func tuneSample(tuner unsafe.Pointer, bit bool, seq uint32)

//go:linkname tuneFind github.com/xtaci/kcp-go/v5.(*autoTune).FindPeriod
func tuneFind(tuner unsafe.Pointer, bit bool) int

// fields knows where the fields of an unexported struct of kcp-go lie.
type fields struct{ of reflect.Type }

// behind gives the type that a field of UDPSession points to.
func behind(field string) fields {
	f, ok := reflect.TypeOf(kcp.UDPSession{}).FieldByName(field)
	if !ok {
		panic("kcp-go's UDPSession has no field " + field)
	}
	return fields{f.Type.Elem()}
}

func (f fields) at(object unsafe.Pointer, name string) unsafe.Pointer {
	field, ok := f.of.FieldByName(name)
	if !ok {
		panic("kcp-go's " + f.of.Name() + " has no field " + name)
	}
	return unsafe.Add(object, field.Offset)
}

var (
	decoderFields = behind("fecDecoder")
	encoderFields = behind("fecEncoder")
)

// tuner is kcp-go's autoTune, alone.
type tuner struct{ at unsafe.Pointer }

func newTuner() tuner {
	field, ok := decoderFields.of.FieldByName("autoTune")
	if !ok {
		panic("kcp-go's decoder has no autoTune")
	}
	return tuner{reflect.New(field.Type).UnsafePointer()}
}

func (t tuner) sample(data bool, seqid uint32) { tuneSample(t.at, data, seqid) }

func (t tuner) find() (data, parity int) { return tuneFind(t.at, true), tuneFind(t.at, false) }

// decoder is kcp-go's fecDecoder.
type decoder struct{ at unsafe.Pointer }

func newDecoder(data, parity int) decoder { return decoder{newFECDecoder(data, parity)} }

func (d decoder) ratio() (data, parity int) {
	return *(*int)(decoderFields.at(d.at, "dataShards")), *(*int)(decoderFields.at(d.at, "parityShards"))
}

func (d decoder) tuning() bool { return *(*bool)(decoderFields.at(d.at, "shouldTune")) }

func (d decoder) setNewest(group uint32) { *(*uint32)(decoderFields.at(d.at, "newestShardId")) = group }

// decode gives copies of the packets that were repaired, without their size field.
func (d decoder) decode(packet []byte) [][]byte {
	var repaired [][]byte
	for _, shard := range fecDecode(d.at, packet) {
		if n := int(binary.LittleEndian.Uint16(shard)); n > 2 && n <= len(shard) {
			repaired = append(repaired, append([]byte(nil), shard[2:n]...))
		}
	}
	return repaired
}

// encoder is kcp-go's fecEncoder.
type encoder struct{ at unsafe.Pointer }

func newEncoder(data, parity, offset int, seqid uint32) (encoder, error) {
	e := encoder{newFECEncoder(data, parity, offset)}
	if e.at == nil {
		return e, errors.New("kcp-go refuses the ratio")
	}
	*(*uint32)(encoderFields.at(e.at, "next")) = seqid
	return e, nil
}

func (e encoder) next() uint32 { return *(*uint32)(encoderFields.at(e.at, "next")) }

// pause makes the encoder believe that its last packet was sent long ago.
func (e encoder) pause() {
	*(*int64)(encoderFields.at(e.at, "tsLatestPacket")) -= 1000 * time.Hour.Milliseconds()
}

// encode gives the packet with its head, then the parity packets if a group is full.
func (e encoder) encode(payload []byte) [][]byte {
	packet := append(make([]byte, fecHead, fecHead+len(payload)), payload...)
	packets := [][]byte{packet}
	for _, parity := range fecEncode(e.at, packet, rtoMs) {
		packets = append(packets, append([]byte(nil), parity...))
	}
	return packets
}
