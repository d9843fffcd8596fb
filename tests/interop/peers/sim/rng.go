// Package sim is the Go twin of lib/kcp_sim: pairs of kcp-go's exported ARQ object over the same simulated
// links, with the same seeds, in virtual time. The Python files state the model; every draw and every
// order of events here must stay equal to theirs, as tests/interop/test_sim_vs_go.py checks.
package sim

// Rng is xorshift32; twin: lib/kcp_sim/rng.py.
type Rng struct{ state uint32 }

// NewRng gives the generator of one stream of a seed.
func NewRng(seed, stream uint32) *Rng {
	h := seed*16 + stream + 0x9E3779B9
	h = (h ^ h>>16) * 0x85EBCA6B
	h = (h ^ h>>13) * 0xC2B2AE35
	h ^= h >> 16
	return &Rng{max(h, 1)}
}

// Next is the next number.
func (r *Rng) Next() uint32 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 17
	r.state ^= r.state << 5
	return r.state
}

// Below is one draw in 0 .. n-1.
func (r *Rng) Below(n int) int { return int(r.Next() % uint32(n)) }
