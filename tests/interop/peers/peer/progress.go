package peer

import (
	"sync/atomic"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

const progressInterval = 250 * time.Millisecond

// tellProgress reports for ever how many bytes the applications of this process have read, as often as that changes.
func tellProgress() {
	var told uint64
	for range time.Tick(progressInterval) {
		if n := atomic.LoadUint64(&kcp.DefaultSnmp.BytesReceived); n != told {
			told = n
			report(map[string]any{"event": "progress", "bytes": n})
		}
	}
}
