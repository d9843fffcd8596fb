package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// QuietMs: a run is over when nothing has happened for so long; twin: lib/kcp_sim/pair.py.
const QuietMs = 1000

// Case is one scenario of scenarios.json.
type Case struct {
	ID      string          `json:"id"`
	Link    string          `json:"link"`
	Back    string          `json:"back"`
	Load    Load            `json:"load"`
	Peer    json.RawMessage `json:"peer"`
	Peer0   json.RawMessage `json:"peer0"`
	Peer1   json.RawMessage `json:"peer1"`
	Seeds   []int           `json:"seeds"`
	LimitMs int64           `json:"limit_ms"`
}

// Scenarios is what scenarios.json holds.
type Scenarios struct {
	Links map[string]LinkOptions `json:"links"`
	Cases []Case                 `json:"cases"`
}

// Result is what a run gives; the names are those of Pair.result() in pair.py.
type Result struct {
	Case         string         `json:"case"`
	Seed         uint32         `json:"seed"`
	Error        string         `json:"error,omitempty"`
	DoneMs       int64          `json:"done_ms"`
	QuietMs      int64          `json:"quiet_ms"`
	Wire         [2]uint32      `json:"wire"`
	Datagrams    [2]int         `json:"datagrams"`
	Bytes        [2]int         `json:"bytes"`
	Links        LinkCounters   `json:"links"`
	SegsLost     int            `json:"segs_lost"`
	SegsRepeated int            `json:"segs_repeated"`
	Cmds         map[byte]int   `json:"cmds"`
	InputErrors  int            `json:"input_errors"`
	Stats        map[string]int `json:"stats"`
	RttSumMs     int64          `json:"rtt_sum_ms"`
	RttCount     int            `json:"rtt_count"`
	RttP95Ms     int64          `json:"rtt_p95_ms"`
	RttMaxMs     int64          `json:"rtt_max_ms"`
}

type pair struct {
	net     *Net
	peers   [2]*Peer
	apps    [2]app
	limitMs int64
}

// Run simulates one seed of a case, with Update() or as kcp-go's sessions do it. It must be called in a synctest bubble of its own.
func Run(s *Scenarios, c *Case, seed uint32, session bool) (Result, error) {
	result := Result{Case: c.ID, Seed: seed}
	if c.Load.Kind == "link" {
		runLink(NewNet([2]LinkOptions{s.Links[c.Link], s.Links[c.Link]}, seed), c.Load, &result)
		return result, nil
	}
	p, err := newPair(s, c, seed, session)
	if err != nil {
		return result, err
	}
	kcp.DefaultSnmp.Reset()
	if err := p.run(); err != nil {
		result.Error = err.Error()
	}
	p.fill(&result)
	return result, nil
}

func newPair(s *Scenarios, c *Case, seed uint32, session bool) (*pair, error) {
	back := c.Back
	if back == "" {
		back = c.Link
	}
	there, ok0 := s.Links[c.Link]
	again, ok1 := s.Links[back]
	if !ok0 || !ok1 {
		return nil, fmt.Errorf("%s: no link %q or %q", c.ID, c.Link, back)
	}
	p := &pair{net: NewNet([2]LinkOptions{there, again}, seed), limitMs: c.LimitMs}
	for side, more := range []json.RawMessage{c.Peer0, c.Peer1} {
		options := PeerOptions{Conv: 1}
		if err := json.Unmarshal(c.Peer, &options); err != nil {
			return nil, fmt.Errorf("%s: peer: %w", c.ID, err)
		}
		if more != nil {
			if err := json.Unmarshal(more, &options); err != nil {
				return nil, fmt.Errorf("%s: peer%d: %w", c.ID, side, err)
			}
		}
		if side == 1 {
			options.PhaseMs = int64(seed) % int64(options.Mode[1])
		}
		p.peers[side] = NewPeer(p.net, side, options, session)
	}
	p.apps = makeApps(c.Load, p.peers)
	return p, nil
}

func (p *pair) run() error {
	for nowMs := int64(0); ; {
		p.net.nowMs = nowMs
		if err := p.moment(nowMs); err != nil {
			return err
		}
		if p.over(nowMs) {
			return nil
		}
		nextMs := p.nextMs(nowMs)
		if nextMs > p.limitMs {
			return fmt.Errorf("not done at the limit of %d ms", p.limitMs)
		}
		time.Sleep(time.Duration(nextMs-nowMs) * time.Millisecond)
		nowMs = nextMs
	}
}

func (p *pair) moment(nowMs int64) error {
	for _, peer := range p.peers {
		if peer.session {
			peer.tick(nowMs)
		}
	}
	for direction, data, ok := p.net.arrive(); ok; direction, data, ok = p.net.arrive() {
		p.peers[1-direction].input(data)
	}
	for _, a := range p.apps {
		if err := a.step(nowMs); err != nil {
			return err
		}
	}
	for _, peer := range p.peers {
		if !peer.session {
			peer.tick(nowMs)
		}
	}
	return nil
}

func (p *pair) over(nowMs int64) bool {
	quietMs := nowMs - max(p.net.lastSendMs, p.net.lastArrivalMs)
	if quietMs < QuietMs || p.apps[0].doneMs() < 0 || p.apps[1].doneMs() < 0 {
		return false
	}
	return p.net.nextMs() < 0 && p.peers[0].idle() && p.peers[1].idle()
}

func (p *pair) nextMs(nowMs int64) int64 {
	nearest := min(p.peers[0].nextUpdateMs, p.peers[1].nextUpdateMs)
	for _, ms := range []int64{p.net.nextMs(), p.apps[0].nextMs(nowMs), p.apps[1].nextMs(nowMs)} {
		if ms >= 0 && ms < nearest {
			nearest = ms
		}
	}
	return nearest
}

func (p *pair) fill(r *Result) {
	n := p.net
	r.DoneMs = max(p.apps[0].doneMs(), p.apps[1].doneMs())
	r.QuietMs = n.nowMs
	r.Wire, r.Bytes = n.wire, n.nBytes
	r.Datagrams = [2]int{n.links[0].Counters.Sent, n.links[1].Counters.Sent}
	r.Links, r.SegsLost, r.SegsRepeated, r.Cmds = n.counters(), n.segsLost, n.segsRepeated, n.cmds
	r.InputErrors = p.peers[0].inputErrors + p.peers[1].inputErrors
	s := kcp.DefaultSnmp.Copy()
	r.Stats = map[string]int{
		"InSegs": int(s.InSegs), "OutSegs": int(s.OutSegs), "RetransSegs": int(s.RetransSegs),
		"FastRetransSegs": int(s.FastRetransSegs), "EarlyRetransSegs": int(s.EarlyRetransSegs),
		"LostSegs": int(s.LostSegs), "RepeatSegs": int(s.RepeatSegs),
	}
	client, ok := p.apps[0].(*echoClient)
	if !ok || len(client.rtts) == 0 {
		return
	}
	ordered := slices.Sorted(slices.Values(client.rtts))
	r.RttCount = len(ordered)
	for _, rtt := range ordered {
		r.RttSumMs += rtt
	}
	r.RttP95Ms = ordered[len(ordered)*95/100]
	r.RttMaxMs = ordered[len(ordered)-1]
}
