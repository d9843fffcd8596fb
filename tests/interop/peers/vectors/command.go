// Package vectors writes the files of tests/vectors: what kcp-go and klauspost/reedsolomon make of given input.
//
// Lines of text: a word that says what it is, then fields with single spaces between, bytes in hex. Lines that
// begin with # are comments. The same program always writes the same bytes.
package vectors

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"microkcp/peers/vtime"
)

const preamble = "# Made by: kcppeer vectors --out tests/vectors   (%s)\n"

// Command is `kcppeer vectors --out FOLDER`.
func Command(args []string) error {
	fs := flag.NewFlagSet("vectors", flag.ExitOnError)
	folder := fs.String("out", "", "folder for crypt.txt, reed_solomon.txt and fec.txt")
	_ = fs.Parse(args)
	if *folder == "" {
		return errors.New("say where to with --out FOLDER")
	}
	if err := write(*folder, "crypt.txt", "kcp-go "+kcpVersion, cryptVectors); err != nil {
		return err
	}
	if err := write(*folder, "reed_solomon.txt", "klauspost/reedsolomon, as kcp-go uses it", rsVectors); err != nil {
		return err
	}
	vtime.Main(func(bubble func(func())) error {
		var err error
		bubble(func() { err = write(*folder, "fec.txt", "kcp-go "+kcpVersion, fecVectors) })
		return err
	})
	return nil
}

const kcpVersion = "v5.6.72"

func write(folder, name, source string, build func(out *strings.Builder) error) error {
	var text strings.Builder
	fmt.Fprintf(&text, preamble, source)
	if err := build(&text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(folder, name), []byte(text.String()), 0o644)
}

// pattern is a source of bytes that look random and are the same in every run (xorshift32).
type pattern uint32

func (p *pattern) Read(buf []byte) (int, error) {
	x := uint32(*p)
	for i := range buf {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		buf[i] = byte(x >> 11)
	}
	*p = pattern(x)
	return len(buf), nil
}

func (p *pattern) bytes(n int) []byte {
	buf := make([]byte, n)
	_, _ = p.Read(buf)
	return buf
}
