package clienttest

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"shredder/pktproc/wire"
)

// state is the fake tenant: entries by the key's text, pushes, versions of
// libraries, and a log.
type state struct {
	entries  map[string]entry
	version  uint64
	pushes   map[uint64]*push
	nextPush uint64
	hashes   []string
	active   int // index in hashes, −1
	records  []wire.LogRecord
}

type entry struct {
	value   []byte
	version uint64
	expires time.Time // zero: never
}

type push struct {
	block   []byte
	segment int
	missing map[int]bool
}

func (s *state) reset() {
	*s = state{entries: map[string]entry{}, pushes: map[uint64]*push{}, nextPush: 1, active: -1}
}

func (s *state) find(key string) (entry, bool) {
	e, ok := s.entries[key]
	if ok && !e.expires.IsZero() && !time.Now().Before(e.expires) {
		return entry{}, false
	}
	return e, ok
}

func (s *state) put(key string, value []byte, expires time.Time) uint64 {
	s.version++
	s.entries[key] = entry{bytes.Clone(value), s.version, expires}
	return s.version
}

func (s *state) log(text string) {
	s.records = append(s.records, wire.LogRecord{Seq: uint64(len(s.records) + 1), UnixMillis: 1700000000000, Level: 1, Text: []byte(text)})
}

// keyText spells an operation's key.
func keyText(op wire.Op) string {
	if n, ok := op.IntKey(); ok {
		return strconv.FormatUint(n, 10)
	}
	return string(op.Key())
}

func itemText(it wire.Item) string {
	if it.Bytes == nil {
		return strconv.FormatUint(it.Int, 10)
	}
	return string(it.Bytes)
}

func appendItem(dst []byte, key string, deleted bool, value []byte) []byte {
	if n, err := strconv.ParseUint(key, 10, 53); err == nil && strconv.FormatUint(n, 10) == key {
		return wire.AppendIntItem(dst, n, deleted, value)
	}
	return wire.AppendBytesItem(dst, []byte(key), deleted, value)
}

// sortedKeys is the order of a scan.
func (s *state) sortedKeys() []string {
	keys := make([]string, 0, len(s.entries))
	for key := range s.entries {
		if _, ok := s.find(key); ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
