package peer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"shredder/bench/graph"
)

// redisLibrary is countFriends as a Redis function; values are the same bytes.
const redisLibrary = `#!lua name=bench
local function count(id, depth)
  local v = redis.call('GET', id)
  if not v then return 0 end
  local n = #v / 4
  if depth == 1 then return n end
  for i = 1, #v, 4 do
    local a, b, c, d = string.byte(v, i, i + 3)
    n = n + count(a + b * 256 + c * 65536 + d * 16777216, depth - 1)
  end
  return n
end
redis.register_function('count', function(keys, args) return count(keys[1], tonumber(args[1])) end)
`

// RedisCountFriends returns the nanoseconds of one FCALL of countFriends(0,
// depth): the median over the given time, the round trip over loopback included.
func RedisCountFriends(cpu int, g graph.Graph, depth int, length time.Duration) (float64, error) {
	k, err := StartRedis(cpu)
	if err != nil {
		return 0, err
	}
	defer k.Stop()
	c, err := net.Dial("tcp", k.Address.String())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	r := redisConn{c, bufio.NewReader(c)}
	if _, err := r.do("FUNCTION", "LOAD", redisLibrary); err != nil {
		return 0, err
	}
	for _, e := range graph.Entries(g.Edges) {
		if _, err := r.do("SET", strconv.Itoa(int(e.Key)), string(e.Value)); err != nil {
			return 0, err
		}
	}
	var times []float64
	for begin := time.Now(); time.Since(begin) < length || len(times) < 5; {
		start := time.Now()
		got, err := r.do("FCALL", "count", "1", "0", strconv.Itoa(depth))
		if err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(start).Nanoseconds()))
		if want := strconv.FormatUint(g.Answers[depth-1], 10); got != want {
			return 0, fmt.Errorf("redis: countFriends(0, %d) is %s, want %s", depth, got, want)
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// redisConn speaks RESP, one command at a time.
type redisConn struct {
	w io.Writer
	r *bufio.Reader
}

func (c redisConn) do(args ...string) (string, error) {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := c.w.Write(b); err != nil {
		return "", err
	}
	line, err := c.r.ReadString('\n')
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
			return "", err
		}
		body := make([]byte, n+2)
		_, err = io.ReadFull(c.r, body)
		return string(body[:n]), err
	}
	return line[1:], nil
}

// tarantoolScript loads the graph from a file of "key hex" lines into a memtx
// space, times countFriends(0, DEPTH) for SECONDS and prints the median.
const tarantoolScript = `
box.cfg{wal_mode = 'none', memtx_memory = 256 * 1024 * 1024, log = 'tarantool.log', work_dir = '.'}
local clock = require('clock')
local space = box.schema.space.create('friends')
space:create_index('primary', {type = 'tree', parts = {1, 'unsigned'}})
for line in io.lines('graph.hex') do
  local key, hex = line:match('^(%d+) (%x*)$')
  local value = hex:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end)
  space:insert{tonumber(key), value}
end
local byte = string.byte
local function count(id, depth)
  local t = space:get(id)
  if t == nil then return 0 end
  local v = t[2]
  local n = #v / 4
  if depth == 1 then return n end
  for i = 1, #v, 4 do
    local a, b, c, d = byte(v, i, i + 3)
    n = n + count(a + b * 256 + c * 65536 + d * 16777216, depth - 1)
  end
  return n
end
local times, answer = {}, 0
local stop = clock.monotonic() + SECONDS
while clock.monotonic() < stop or #times < 5 do
  local start = clock.monotonic64()
  answer = count(0, DEPTH)
  times[#times + 1] = tonumber(clock.monotonic64() - start)
end
table.sort(times)
print(answer, times[math.ceil(#times / 2)])
os.exit(0)
`

// TarantoolCountFriends is the same inside tarantool, without a round trip.
func TarantoolCountFriends(cpu int, dir string, g graph.Graph, depth int, length time.Duration) (float64, error) {
	dir = filepath.Join(dir, "tarantool")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	var dump strings.Builder
	for _, e := range graph.Entries(g.Edges) {
		fmt.Fprintf(&dump, "%d %x\n", e.Key, e.Value)
	}
	script := strings.NewReplacer("SECONDS", fmt.Sprint(length.Seconds()), "DEPTH", fmt.Sprint(depth)).Replace(tarantoolScript)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "graph.hex"), []byte(dump.String()), 0o644),
		os.WriteFile(filepath.Join(dir, "bench.lua"), []byte(script), 0o644)); err != nil {
		return 0, err
	}
	c := exec.Command("taskset", "-c", strconv.Itoa(cpu), "tarantool", "bench.lua")
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("tarantool: %w: %s", err, tail(string(out)))
	}
	var answer uint64
	var nanos float64
	if _, err := fmt.Sscan(string(out), &answer, &nanos); err != nil || answer != g.Answers[depth-1] {
		return 0, fmt.Errorf("tarantool printed %q: %w", tail(string(out)), err)
	}
	return nanos, nil
}
