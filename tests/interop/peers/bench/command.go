// Package bench measures kcp-go: the other column of `make bench`.
//
// Each subcommand is one measurement in a process of its own and prints one line of JSON,
// {"value": a rate, "unit": ...}. MB = 10^6 bytes.
package bench

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// An operation does some work n times over; what one time counts is in unitsPerOp.
type operation struct {
	unit       string
	unitsPerOp float64
	run        func(n int) error
}

const (
	packetBytes = 1400
	megabytes   = "MB/s"
	thousands   = "k/s"
)

// Command runs `kcppeer bench serve ...`, `kcppeer bench send ...` or `kcppeer bench OPERATION`.
func Command(args []string) error {
	if len(args) > 0 && args[0] == "serve" {
		return serve(args[1:])
	}
	if len(args) > 0 && args[0] == "send" {
		return send(args[1:])
	}
	fs := flag.NewFlagSet("bench", flag.ExitOnError)
	seconds := fs.Float64("seconds", 0.3, "measure for at least this long")
	if len(args) == 0 {
		return errors.New("give serve, send, or an operation: " + operationNames)
	}
	_ = fs.Parse(args[1:])
	op, err := newOperation(args[0])
	if err != nil {
		return err
	}
	if _, err := measure(op, *seconds/4); err != nil { // to warm up
		return err
	}
	rate, err := measure(op, *seconds)
	if err != nil {
		return err
	}
	return report(map[string]any{"value": rate, "unit": op.unit})
}

// measure repeats the operation in growing batches until one has taken long enough.
func measure(op *operation, seconds float64) (float64, error) {
	for n := 1; ; n *= 2 {
		start := time.Now()
		if err := op.run(n); err != nil {
			return 0, err
		}
		if took := time.Since(start).Seconds(); took >= seconds {
			return float64(n) * op.unitsPerOp / took, nil
		}
	}
}

func report(fields map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(fields)
}

const operationNames = "arq, flush, fec-encode, fec-decode-1, fec-decode-3, crc32, nonce, " +
	"seal-CRYPT and open-CRYPT"

func newOperation(name string) (*operation, error) {
	switch name {
	case "arq":
		return arqOperation(), nil
	case "flush":
		return flushOperation()
	case "fec-encode":
		return fecEncodeOperation()
	case "fec-decode-1":
		return fecDecodeOperation(1)
	case "fec-decode-3":
		return fecDecodeOperation(3)
	case "crc32":
		return crcOperation(), nil
	case "nonce":
		return nonceOperation(), nil
	}
	if op, err := cryptOperation(name); op != nil || err != nil {
		return op, err
	}
	return nil, fmt.Errorf("unknown operation %q; there are: %s", name, operationNames)
}
