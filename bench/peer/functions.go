package peer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"shredder/bench/engine"
)

// Functions is a server of Redis' protocol that holds one data set and the workloads
// as functions, with one connection to it.
type Functions struct {
	kernel *Kernel
	conn   net.Conn
	r      *bufio.Reader
}

// StartFunctions starts redis-server on one CPU and loads a set of records into it.
func StartFunctions(cpu int, set *engine.Set) (*Functions, error) {
	k, err := StartRedis(cpu)
	if err != nil {
		return nil, err
	}
	library, err := scripts.ReadFile("scripts/redis.lua")
	if err != nil {
		return nil, errors.Join(err, k.Stop())
	}
	return LoadFunctions(k, string(library), set)
}

// LoadFunctions loads a library and a set of records into a server, which it owns from then on.
func LoadFunctions(k *Kernel, library string, set *engine.Set) (*Functions, error) {
	f := &Functions{kernel: k}
	if err := f.load(library, set); err != nil {
		return nil, errors.Join(err, f.Stop())
	}
	return f, nil
}

func (f *Functions) load(library string, set *engine.Set) (err error) {
	if f.conn, err = net.Dial("tcp", f.kernel.Address.String()); err != nil {
		return err
	}
	f.r = bufio.NewReader(f.conn)
	if _, err := f.do("FUNCTION", "LOAD", "REPLACE", library); err != nil {
		return err
	}
	const pipelined = 256
	for batch := range slices.Chunk(set.Entries, pipelined) {
		var b []byte
		for _, e := range batch {
			key := e.Text
			if key == "" {
				key = strconv.Itoa(int(e.Int))
			}
			b = appendCommand(b, "SET", key, string(e.Value))
		}
		if _, err := f.conn.Write(b); err != nil {
			return err
		}
		for range batch {
			if _, err := f.reply(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Run calls a function for so long, once at least, and returns the median
// nanoseconds of a call, its round trip over loopback included, and its result.
func (f *Functions) Run(length time.Duration, function string, args ...int64) (nanos, result float64, err error) {
	command := []string{"FCALL", function, "0"}
	for _, a := range args {
		command = append(command, strconv.FormatInt(a, 10))
	}
	var times []float64
	for begin := time.Now(); len(times) == 0 || time.Since(begin) < length; {
		start := time.Now()
		reply, err := f.do(command...)
		if err != nil {
			return 0, 0, err
		}
		times = append(times, float64(time.Since(start).Nanoseconds()))
		if result, err = strconv.ParseFloat(reply, 64); err != nil {
			return 0, 0, fmt.Errorf("redis: %s replies %q: %w", function, reply, err)
		}
	}
	slices.Sort(times)
	return times[len(times)/2], result, nil
}

// Stop ends the connection and the server.
func (f *Functions) Stop() error {
	if f.conn != nil {
		_ = f.conn.Close() // the server ends it if we do not
	}
	return f.kernel.Stop()
}

func appendCommand(b []byte, args ...string) []byte {
	b = fmt.Appendf(b, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b
}

func (f *Functions) do(args ...string) (string, error) {
	if _, err := f.conn.Write(appendCommand(nil, args...)); err != nil {
		return "", err
	}
	return f.reply()
}

func (f *Functions) reply() (string, error) {
	line, err := f.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch line[0] {
	case '-':
		return "", errors.New("redis: " + line[1:])
	case '$':
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 {
			return "", fmt.Errorf("redis: a reply of %s bytes", line[1:])
		}
		body := make([]byte, n+2)
		_, err = io.ReadFull(f.r, body)
		return string(body[:n]), err
	}
	return line[1:], nil
}
