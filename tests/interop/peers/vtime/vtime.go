// Package vtime runs kcp-go in virtual time outside of `go test`.
//
// testing/synctest only works under a *testing.T, so the testing package is started by hand
// with one made-up test. In a bubble time.Sleep costs nothing, and kcp-go's clock (a
// difference of two time.Now) moves with it, so a run is exactly repeatable.
package vtime

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// Main calls job and exits: status 0, or 1 with job's error on standard error.
// bubble(f) runs f in a new bubble of virtual time; it may be called any number of times.
func Main(job func(bubble func(f func())) error) {
	os.Args = os.Args[:1] // what follows are not the testing package's flags
	test := func(t *testing.T) {
		err := job(func(f func()) {
			synctest.Test(t, func(*testing.T) { f() })
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			t.Fail()
		}
		muteVerdict()
	}
	match := func(pattern, name string) (bool, error) { return true, nil }
	testing.Main(match, []testing.InternalTest{{Name: "job", F: test}}, nil, nil)
}

// muteVerdict keeps the testing package's closing PASS or FAIL out of the standard output.
func muteVerdict() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stdout = null
	}
}

// KCPNow gives kcp-go's clock: milliseconds modulo 2^32, from an arbitrary origin.
func KCPNow() uint32 {
	// A state machine that was never updated wants its first update now.
	return kcp.NewKCP(0, func([]byte, int) {}).Check()
}

// SleepUntilKCP sleeps until kcp-go's clock reads ms: at most 50 virtual days.
func SleepUntilKCP(ms uint32) {
	time.Sleep(time.Duration(ms-KCPNow()) * time.Millisecond)
}
