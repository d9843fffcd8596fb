package trace

import (
	"fmt"
	"reflect"
	"strings"

	kcp "github.com/xtaci/kcp-go/v5"
)

// stateFields are recorded at the end of a trace (or after each event with --state).
var stateFields = []string{
	"snd_una", "snd_nxt", "rcv_nxt", "rmt_wnd", "cwnd", "ssthresh", "rx_rto", "rx_srtt", "rx_rttvar",
}

// setField writes an unexported uint32 field of the state machine.
func setField(k *kcp.KCP, name string, value uint32) {
	f := reflect.ValueOf(k).Elem().FieldByName(name)
	reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem().SetUint(uint64(value))
}

// readField reads an unexported uint32 field of the state machine.
func readField(k *kcp.KCP, name string) uint32 {
	return uint32(reflect.ValueOf(k).Elem().FieldByName(name).Uint())
}

// stateOf gives "name=value" of the recorded fields and of WaitSnd.
func stateOf(k *kcp.KCP) string {
	var b strings.Builder
	v := reflect.ValueOf(k).Elem()
	for _, name := range stateFields {
		f := v.FieldByName(name)
		if f.CanInt() {
			fmt.Fprintf(&b, "%s=%d ", name, f.Int())
		} else {
			fmt.Fprintf(&b, "%s=%d ", name, f.Uint())
		}
	}
	fmt.Fprintf(&b, "wait_snd=%d", k.WaitSnd())
	return b.String()
}

// streamMode switches the state machine itself: only sessions have an exported setter.
func streamMode(k *kcp.KCP) {
	f := reflect.ValueOf(k).Elem().FieldByName("stream")
	reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem().SetInt(1)
}
