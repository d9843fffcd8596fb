package peer

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"
)

// fileServer hands out the files of one folder to the examples in ports/.
type fileServer struct {
	*options
	folder string
}

// fileRequest is a line of JSON: what a client wants, from which byte on.
type fileRequest struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"`
}

// fileAnswer comes before the bytes from the offset to the end. A SHA-256 is that of the whole file.
type fileAnswer struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
	Error  string `json:"error,omitempty"`
}

// FileServer runs `kcppeer file-server --folder FOLDER`: a client sends a line {"name": ...,
// "offset": ...}; it gets a line {"bytes": ..., "sha256": ...}, and the bytes from there on.
// offset -1 asks for the line alone.
func FileServer(args []string) error {
	fs := flag.NewFlagSet("file-server", flag.ExitOnError)
	s := &fileServer{options: transportFlags(fs, time.Hour)}
	listen := fs.String("listen", "127.0.0.1:0", "address to listen at; port 0 = any free one")
	fs.StringVar(&s.folder, "folder", ".", "where the files are")
	_ = fs.Parse(args)
	if err := s.finish(); err != nil {
		return err
	}
	l, err := kcp.ListenWithOptions(*listen, s.block, s.datashard, s.parityshard)
	if err != nil {
		return err
	}
	s.sockbufs(l)
	report(map[string]any{"event": "listening", "port": l.Addr().(*net.UDPAddr).Port})
	go func() {
		for {
			conn, err := l.AcceptKCP()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	waitForEnd(s.timeout)
	return nil
}

// serve answers the requests of a session until it says nothing for a minute.
func (s *fileServer) serve(conn *kcp.UDPSession) {
	defer conn.Close()
	if err := s.apply(conn); err != nil {
		return
	}
	lines := bufio.NewReader(conn)
	for {
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var request fileRequest
		if err := json.Unmarshal(line, &request); err != nil {
			return
		}
		report(map[string]any{"event": "request", "name": request.Name, "offset": request.Offset})
		if err := s.answer(conn, request); err != nil {
			report(map[string]any{"event": "error", "error": err.Error()})
			return
		}
	}
}

func (s *fileServer) answer(conn *kcp.UDPSession, request fileRequest) error {
	file, answer, err := s.open(request.Name)
	if err != nil {
		answer.Error = err.Error()
	} else {
		defer file.Close()
	}
	line, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if _, err := conn.Write(append(line, '\n')); err != nil || file == nil || request.Offset < 0 {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(s.timeout))
	if _, err := file.Seek(request.Offset, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(conn, file)
	return err
}

// open finds a file of the folder, and says how long it is and what its digest is.
func (s *fileServer) open(name string) (*os.File, fileAnswer, error) {
	if name == "" || strings.ContainsAny(name, `/\`) || name[0] == '.' {
		return nil, fileAnswer{}, errors.New("give the name of a file of the folder")
	}
	file, err := os.Open(filepath.Join(s.folder, name))
	if err != nil {
		return nil, fileAnswer{}, fmt.Errorf("there is no file %q", name)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		file.Close()
		return nil, fileAnswer{}, err
	}
	return file, fileAnswer{Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
