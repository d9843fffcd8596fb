package fecdiff

import (
	"errors"
	"reflect"
	"sync/atomic"
	"unsafe"

	kcp "github.com/xtaci/kcp-go/v5"
)

// gap is how many seqids are left out when the ratio changes: more than can be on their way to the encoder.
const gap = 512

func slot(session *kcp.UDPSession, name string) *unsafe.Pointer {
	return (*unsafe.Pointer)(fields{reflect.TypeFor[kcp.UDPSession]()}.at(unsafe.Pointer(session), name))
}

// ChangeRatio has a session that sends with FEC go on with another ratio, from a multiple of its sum on.
func ChangeRatio(session *kcp.UDPSession, data, parity int) error {
	place := slot(session, "fecEncoder")
	old := encoder{atomic.LoadPointer(place)}
	if old.at == nil {
		return errors.New("the session sends without FEC")
	}
	n := uint32(data + parity)
	offset := *(*int)(encoderFields.at(old.at, "headerOffset"))
	e, err := newEncoder(data, parity, offset, (old.next()+gap)/n*n)
	if err == nil {
		atomic.StorePointer(place, e.at)
	}
	return err
}

// Ratio tells what a session's decoder takes the peer's ratio to be: 0, 0 if no FEC packet has come.
func Ratio(session *kcp.UDPSession) (data, parity int) {
	d := decoder{atomic.LoadPointer(slot(session, "fecDecoder"))}
	if d.at == nil {
		return 0, 0
	}
	return d.ratio()
}
