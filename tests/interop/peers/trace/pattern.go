package trace

import "bytes"

// patternBytes is the period of the content that endpoints send: a prime, so that no
// segment size divides it.
const patternBytes = 4093

// patterns[i] is what endpoint i sends, once and a largest payload more.
var patterns = [2][]byte{makePattern(1), makePattern(2)}

// makePattern fills one period from a small generator that any language can repeat.
func makePattern(x uint32) []byte {
	p := make([]byte, 2*patternBytes)
	for i := range patternBytes {
		x = (x*1103515245 + 12345) & 0x7fffffff
		p[i] = byte(x >> 16)
		p[patternBytes+i] = p[i]
	}
	return p
}

// patternAt copies n bytes from position at of endpoint i's stream.
func patternAt(i, at, n int) []byte {
	out := make([]byte, 0, n)
	for len(out) < n {
		from := (at + len(out)) % patternBytes
		out = append(out, patterns[i][from:from+min(n-len(out), patternBytes)]...)
	}
	return out
}

// findPattern gives a position of endpoint i's stream with this content, or -1.
func findPattern(i int, payload []byte) int {
	if len(payload) > patternBytes {
		return -1
	}
	return bytes.Index(patterns[i], payload)
}
