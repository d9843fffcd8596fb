package peer

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// TLSServer runs `kcppeer tls-server`: an echo server for one session of TLS over KCP.
// It reports how the session ended; "eof" means that the peer said so (TLS's close_notify).
func TLSServer(args []string) error {
	fs := flag.NewFlagSet("tls-server", flag.ExitOnError)
	o := transportFlags(fs, time.Minute)
	cert := fs.String("cert", "", "PEM file with the certificate")
	key := fs.String("cert-key", "", "PEM file with its private key")
	_ = fs.Parse(args)
	if err := o.finish(); err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return err
	}
	l, err := kcp.ListenWithOptions("127.0.0.1:0", o.block, o.datashard, o.parityshard)
	if err != nil {
		return err
	}
	o.sockbufs(l)
	report(map[string]any{"event": "listening", "port": l.Addr().(*net.UDPAddr).Port})
	go func() {
		conn, err := l.AcceptKCP()
		if err == nil {
			err = o.apply(conn)
		}
		if err != nil {
			report(map[string]any{"event": "error", "error": err.Error()})
			return
		}
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}})
		n, err := io.Copy(secured, secured) // nil: the peer has said that this is the end
		fields := map[string]any{"event": "session", "bytes": n, "eof": err == nil}
		if err != nil {
			fields["error"] = err.Error()
		}
		fields["version"] = tls.VersionName(secured.ConnectionState().Version)
		report(fields)
		_ = secured.CloseWrite()
	}()
	waitForEnd(o.timeout)
	return nil
}

// TLSClient runs `kcppeer tls-client ADDR`: as echo-client, over TLS; at the end it says so, and
// wants to hear the same.
func TLSClient(args []string) error {
	fs := flag.NewFlagSet("tls-client", flag.ExitOnError)
	c := &client{options: transportFlags(fs, time.Minute), seed: 1, chunk: 64 << 10}
	fs.Int64Var(&c.bytes, "bytes", 1<<20, "how many bytes to send")
	durationFlag(fs, &c.linger, "linger", 300*time.Millisecond, "go on acknowledging for this long after the end")
	roots := fs.String("roots", "", "PEM file with the certificate to trust")
	name := fs.String("name", "kcp.test", "the name that the certificate must have")
	c.addr = args[0]
	_ = fs.Parse(args[1:])
	if err := c.finish(); err != nil {
		return err
	}
	pem, err := os.ReadFile(*roots)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: no certificate", *roots)
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer c.leave(conn)
	return c.echoTLS(tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: *name}))
}

func (c *client) echoTLS(secured *tls.Conn) error {
	start := time.Now()
	sent, back := sha256.New(), sha256.New()
	failed := make(chan error, 1)
	go func() { failed <- c.send(secured, sent) }()
	n, err := io.CopyN(back, secured, c.bytes)
	if err == nil {
		err = <-failed
	}
	if err != nil {
		return err
	}
	if err := secured.CloseWrite(); err != nil {
		return err
	}
	_, err = secured.Read(make([]byte, 1))
	ok := string(sent.Sum(nil)) == string(back.Sum(nil)) && errors.Is(err, io.EOF)
	reportSpeed("tls", n, time.Since(start), map[string]any{
		"ok": ok, "sha256": hex.EncodeToString(back.Sum(nil)), "eof": errors.Is(err, io.EOF),
		"version": tls.VersionName(secured.ConnectionState().Version),
	})
	if !ok {
		return errors.New("what came back differs from what was sent, or the end did not come")
	}
	return nil
}
