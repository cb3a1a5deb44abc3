// Package team is a library of storage functions as a team might write them, with
// records for them and calls: what tests of the tiers and the jit suite run. It
// holds no state; any thread may call it.
package team

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"shredder/pktproc/wire"
	"shredder/store"
)

// Source is the library.
//
//go:embed team.js
var Source string

// Tasks are the twenty kinds of work that the issue about compiled functions names,
// with the functions that do them.
var Tasks = []struct {
	Name      string
	Functions []string
}{
	{"top-k", []string{"topK"}}, {"histogram", []string{"histogram"}}, {"secondary index update", []string{"addToIndex"}},
	{"rate limiter", []string{"rateLimit"}}, {"leaderboard", []string{"leaderboard"}}, {"record filter", []string{"filterRecords"}},
	{"Bloom filter test", []string{"bloom"}}, {"time-series downsample", []string{"downsample"}}, {"geo radius", []string{"within"}},
	{"inverted-index intersect", []string{"intersect"}}, {"assoc range", []string{"assocRange"}}, {"session touch", []string{"touch"}},
	{"counter sharding", []string{"bump", "count"}}, {"queue", []string{"push", "pop"}}, {"LRU list", []string{"lru"}},
	{"edit distance", []string{"editDistance"}}, {"matrix × vector", []string{"multiply"}}, {"base64", []string{"base64"}},
	{"CRC32", []string{"crc32"}}, {"Levenshtein prefix", []string{"complete"}},
}

// Call is a function with encoded arguments.
type Call struct {
	Function string
	Args     []byte
}

// Calls of every function, the quickest argument lists last.
func Calls() []Call {
	i := func(list ...int64) (b []byte) {
		for _, n := range list {
			b = wire.AppendInt(b, n)
		}
		return b
	}
	s := func(text string, rest ...int64) []byte { return append(wire.AppendString(nil, text), i(rest...)...) }
	half := wire.AppendDouble(wire.AppendDouble(nil, 0.37), 0.37)
	return []Call{
		{"topK", i(5, 8)}, {"topK", i(1, 3)}, {"topK", i(9, 2)},
		{"histogram", i(20, 16)}, {"histogram", i(1, 1)},
		{"rateLimit", i(5, 2)}, {"rateLimit", i(5, 2)}, {"rateLimit", i(5, 2)},
		{"bloom", i(3, 17, 31)}, {"bloom", i(1, 0, 8)},
		{"downsample", i(1, 3)}, {"downsample", i(4, 7)},
		{"within", append(append(i(20), half...), i(5000)...)},
		{"intersect", i(1, 2)}, {"intersect", i(3, 4)}, {"intersect", i(5, 99)},
		{"assocRange", i(1, 2, 5)}, {"assocRange", i(2, 30, 90)}, {"assocRange", i(99, 0, 1)},
		{"touch", s("x")}, {"touch", s("y")},
		{"count", s("hits", 9)}, {"bump", s("hits", 8)},
		{"addToIndex", i(1, 7)}, {"addToIndex", i(1, 7)}, {"addToIndex", i(55, 1)},
		{"editDistance", append(s("kitten"), s("sitting")...)}, {"editDistance", append(s(""), s("abc")...)},
		{"multiply", i(20, 21)}, {"multiply", i(20, 99)},
		{"crc32", i(1)}, {"crc32", i(99)},
		{"hops", i(1, 1)}, {"hops", i(2, 3)},
		{"push", append(i(1), s("job")...)}, {"push", append(i(1), s("next")...)}, {"pop", i(1)}, {"pop", i(7)},
		{"base64", i(2)}, {"base64", i(3)},
		{"leader", i(1, 2, 100)}, {"leader", i(1, 2, 50)}, {"leader", i(1, 2, 200)},
		{"neural", append(i(20), wire.AppendDouble(nil, 0.37)...)},
		{"leaderboard", i(1, 77, 5000)}, {"leaderboard", i(2, 3, 4)},
		{"filterRecords", s("people", 40)}, {"filterRecords", s("none", 40)},
		{"lru", i(1, 9, 16)}, {"lru", i(2, 9, 4)},
		{"complete", append(s("words"), s("storge", 1)...)}, {"complete", append(s("none"), s("a", 0)...)},
	}
}

// Fill stores the records that Calls look at.
func Fill(set func(key store.Key, value []byte), r *rand.Rand) {
	put := func(key string, v []byte) { set(store.BytesKey([]byte(key)), v) }
	words := func(n, limit int) (v []byte) {
		next := uint32(0)
		for range n {
			next += 1 + r.Uint32N(uint32(limit))
			v = binary.LittleEndian.AppendUint32(v, next)
		}
		return v
	}
	doubles := func(n int) (v []byte) {
		for range n {
			v = binary.LittleEndian.AppendUint64(v, math.Float64bits(r.NormFloat64()*40))
		}
		return v
	}
	for k := range 8 {
		set(store.IntKey(uint64(k)), words(20+2*r.IntN(20), 3))
		put(fmt.Sprint("term:", k), words(10+r.IntN(40), 4))
		put(fmt.Sprint("assoc:", k), words(r.IntN(40), 9))
		put(fmt.Sprint("c:hits:", k), fmt.Append(nil, r.IntN(1000)))
	}
	set(store.IntKey(20), doubles(88))
	set(store.IntKey(21), doubles(8))
	put("s:x", []byte("session"))
	put("board:1", doubles(20))
	put("lru:1", words(16, 5))
	put("words", []byte("store,storage,storm,stork,function,functional,fuel,shred,shredder,arena"))
	people := []byte("[")
	for id := range 12 {
		if id > 0 {
			people = append(people, ',')
		}
		people = fmt.Appendf(people, `{"id":%d,"age":%d,"active":%t}`, id, 20+r.IntN(50), r.IntN(2) == 0)
	}
	put("people", append(people, ']'))
}
