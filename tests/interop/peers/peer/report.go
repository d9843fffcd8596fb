package peer

import (
	"encoding/json"
	"os"
	"sync"

	kcp "github.com/xtaci/kcp-go/v5"
)

var reportLock sync.Mutex

// report prints one JSON line; lines of concurrent sessions do not mix.
func report(fields map[string]any) {
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	reportLock.Lock()
	defer reportLock.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}

// counters gives kcp-go's process-wide counters by name.
func counters() map[string]json.Number {
	snmp := kcp.DefaultSnmp.Copy()
	names, values := snmp.Header(), snmp.ToSlice()
	m := make(map[string]json.Number, len(names))
	for i, name := range names {
		m[name] = json.Number(values[i])
	}
	return m
}
