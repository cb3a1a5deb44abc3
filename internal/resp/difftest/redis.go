// Package difftest holds a server or a set of commands against a real redis-server: the
// same random commands to both, replies equal but for the differences that
// docs/redis.md lists. For tests only; one goroutine a run.
package difftest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Peer answers a command with its reply in the protocol's bytes.
type Peer interface {
	Do(args ...string) []byte
}

// Redis starts a redis-server of its own, which ends with the test, and returns its
// socket. The test is skipped where the program is missing; scripts/test.sh installs it.
func Redis(t testing.TB) (socket string) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("no redis-server: scripts/test.sh installs it")
	}
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	var log bytes.Buffer
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	for range 200 {
		if nc, err := net.Dial("unix", socket); err == nil {
			nc.Close()
			return socket
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("redis-server does not answer: %s", log.String())
	return ""
}

// Conn is a Peer behind a connection.
type Conn struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

// Dial connects to a server of the Redis protocol.
func Dial(t testing.TB, network, address string) *Conn {
	t.Helper()
	nc, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &Conn{t, nc, bufio.NewReaderSize(nc, 64<<10)}
}

// Do sends a command and returns the reply's bytes.
func (c *Conn) Do(args ...string) []byte {
	c.t.Helper()
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	c.nc.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
	reply, err := read(c.r, nil)
	if err != nil {
		c.t.Fatalf("%.100q: %v", args, err)
	}
	return reply
}

// read appends one reply to out.
func read(r *bufio.Reader, out []byte) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return out, err
	}
	out = append(out, line...)
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	switch line[0] {
	case '$', '=':
		if n < 0 {
			return out, nil
		}
		b := make([]byte, n+2)
		_, err := io.ReadFull(r, b)
		return append(out, b...), err
	case '%':
		n *= 2
		fallthrough
	case '*', '~', '>':
		for range n {
			if out, err = read(r, out); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// bulks returns the bulk strings of a reply in order, whatever they are nested in.
func bulks(reply []byte) (all []string) {
	for len(reply) > 0 {
		end := bytes.IndexByte(reply, '\n') + 1
		line := reply[:end]
		reply = reply[end:]
		if line[0] == '$' {
			if n, _ := strconv.Atoi(string(bytes.TrimSpace(line[1:]))); n >= 0 {
				all = append(all, string(reply[:n]))
				reply = reply[n+2:]
			}
		}
	}
	return all
}
