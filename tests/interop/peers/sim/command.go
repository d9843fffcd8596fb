package sim

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"microkcp/peers/vtime"
)

// Command is `kcppeer sim`: it runs cases of scenarios.json and writes one JSON object per run and line.
func Command(args []string) error {
	fs := flag.NewFlagSet("sim", flag.ExitOnError)
	file := fs.String("scenarios", "", "path of lib/kcp_sim/scenarios.json")
	ids := fs.String("scenario", "", "ids of cases, or beginnings of ids, with commas between (default: all)")
	seeds := fs.String("seeds", "", "FIRST-LAST, or one number (default: from 0, as many as each case says)")
	session := fs.Bool("session", false, "flush when kcp-go's own sessions do, not on the grid of Update()")
	_ = fs.Parse(args)
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	var scenarios Scenarios
	if err := json.Unmarshal(text, &scenarios); err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	first, last := 0, -1
	if *seeds != "" {
		if n, _ := fmt.Sscanf(*seeds, "%d-%d", &first, &last); n < 1 {
			return fmt.Errorf("seeds are given as 0-19 or as 7, not as %q", *seeds)
		}
		last = max(first, last)
	}
	stdout := bufio.NewWriter(os.Stdout)
	vtime.Main(func(bubble func(func())) error {
		run := func(c *Case, seed int) (result Result, err error) {
			bubble(func() { result, err = Run(&scenarios, c, uint32(seed), *session) })
			return result, err
		}
		err := runAll(scenarios.Cases, *ids, first, last, run, json.NewEncoder(stdout))
		return errors.Join(err, stdout.Flush())
	})
	return nil
}

func wanted(id, ids string) bool {
	for _, part := range strings.Split(ids, ",") {
		if strings.HasPrefix(id, part) {
			return true
		}
	}
	return false
}

func runAll(cases []Case, ids string, first, last int,
	run func(c *Case, seed int) (Result, error), out *json.Encoder) error {
	nRuns, nFailed := 0, 0
	for i := range cases {
		c := &cases[i]
		if !wanted(c.ID, ids) {
			continue
		}
		end := last
		if end < 0 {
			end = c.Seeds[0] - 1
		}
		for seed := first; seed <= end; seed++ {
			result, err := run(c, seed)
			if err != nil {
				return err
			}
			if err := out.Encode(result); err != nil {
				return err
			}
			nRuns++
			if result.Error != "" {
				nFailed++
			}
		}
	}
	if nRuns == 0 {
		return errors.New("no case of that id, or no seed")
	}
	if nFailed > 0 {
		return fmt.Errorf("%d of %d runs failed", nFailed, nRuns)
	}
	return nil
}
