// Command kcppeer is the real kcp-go at the other end of microkcp's tests.
//
// Every subcommand ends by itself (--timeout), talks JSON lines on standard output
// and says what went wrong on standard error with exit status 1 (2 for bad usage).
package main

import (
	"fmt"
	"os"

	"microkcp/peers/bench"
	"microkcp/peers/fecdiff"
	"microkcp/peers/peer"
	"microkcp/peers/sim"
	"microkcp/peers/trace"
	"microkcp/peers/vectors"
)

type command struct {
	name  string
	about string
	run   func(args []string) error
}

// commands holds the subcommands in the order in which usage lists them.
var commands = []command{
	{"serve", "echo or sink server over UDP", peer.Serve},
	{"echo-client", "send bytes to an echo server and verify what comes back", peer.EchoClient},
	{"sink-client", "send bytes to a sink server and wait for its digest", peer.SinkClient},
	{"oob-server", "echo out-of-band packets beside the stream", peer.OOBServer},
	{"oob-client", "send out-of-band packets of many sizes until all have come back", peer.OOBClient},
	{"vary-client", "change options and conversation in mid-life", peer.VaryClient},
	{"life-client", "do as told on standard input, from a given port and conversation", peer.LifeClient},
	{"crowd", "many clients at once against an echo server", peer.Crowd},
	{"ping", "clients of an echo server that measure how long messages take", peer.Ping},
	{"tls-server", "echo server for one session of TLS over KCP", peer.TLSServer},
	{"tls-client", "echo over TLS over KCP, to the end that TLS marks", peer.TLSClient},
	{"pipe", "a session with standard input and output, as client or as server", peer.Pipe},
	{"file-server", "hand out the files of a folder, from any byte on", peer.FileServer},
	{"trace", "record what kcp-go's ARQ does in generated schedules", trace.Command},
	{"bench", "measure kcp-go for make bench", bench.Command},
	{"sim", "run kcp-go's ARQ over the simulated links of tests/sim", sim.Command},
	{"fec-server", "echo a session in two phases, with a change of the FEC ratio between them", peer.FECServer},
	{"fec-client", "be the client of that, and verify what comes back", peer.FECClient},
	{"fecdiff", "show what kcp-go's FEC decoder makes of generated sequences", fecdiff.Command},
	{"vectors", "write the files of tests/vectors", vectors.Command},
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: kcppeer COMMAND [flags]   (kcppeer COMMAND --help lists the flags)")
	for _, c := range commands {
		fmt.Fprintf(os.Stderr, "  %-12s %s\n", c.name, c.about)
	}
	os.Exit(2)
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	for _, c := range commands {
		if c.name != os.Args[1] {
			continue
		}
		if err := c.run(os.Args[2:]); err != nil {
			fmt.Fprintf(os.Stderr, "kcppeer %s: %v\n", c.name, err)
			os.Exit(1)
		}
		return
	}
	usage()
}
