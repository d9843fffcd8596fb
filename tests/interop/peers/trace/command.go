// Package trace records what kcp-go's ARQ does in generated situations, in virtual time.
package trace

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"microkcp/peers/vtime"
)

// Command runs `kcppeer trace`: the traces of --count schedules of a seed.
func Command(args []string) error {
	fs := flag.NewFlagSet("trace", flag.ExitOnError)
	seed := fs.Uint64("seed", 1, "seed of the schedules")
	first := fs.Uint64("first", 0, "number of the first schedule")
	count := fs.Uint64("count", 1, "how many schedules")
	out := fs.String("out", "", "folder to write one file per schedule to (default: standard output)")
	state := fs.Bool("state", false, "write the state after each call, not only at the end")
	_ = fs.Parse(args)
	stdout := os.Stdout
	vtime.Main(func(bubble func(func())) error {
		buffered := bufio.NewWriterSize(stdout, 1<<20)
		for number := *first; number < *first+*count; number++ {
			var r *run
			bubble(func() { r = play(newSchedule(*seed, number), *state) })
			if err := save(r, *out, buffered); err != nil {
				return err
			}
		}
		return buffered.Flush()
	})
	return nil
}

// save writes a run to its own file in a folder, or to w.
func save(r *run, folder string, w io.Writer) error {
	if folder == "" {
		r.write(w)
		return nil
	}
	name := fmt.Sprintf("seed%d-%04d.trace", r.seed, r.number)
	file, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(file)
	r.write(buffered)
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.Close()
}
