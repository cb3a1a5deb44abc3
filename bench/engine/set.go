package engine

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"shredder/bench/graph"
	"shredder/store"
)

// Set is what a store holds before it is measured.
type Set struct {
	Name string
	// Entries of the set; nil if Cycle says what they are.
	Entries []Entry
	// Cycle, if not 0, is a number of integer keys whose values, uint32, lead from
	// one to the next in one circle: key i holds (i × CycleFactor + CycleStep) mod Cycle.
	// Peers make it themselves.
	Cycle int
}

// Entry is one record; Text is its key, or "" if the key is the integer Int.
type Entry struct {
	Int   uint32
	Text  string
	Value []byte
}

// By Hull and Dobell the circle has full length for every Cycle whose prime
// factors are 2 and 5: the factor is 1 modulo 20, the step is odd and no multiple of 5.
const (
	CycleFactor = 7_368_781
	CycleStep   = 1_234_567
)

// each visits every record; the entry is valid within visit.
func (s *Set) each(visit func(Entry) error) error {
	for _, e := range s.Entries {
		if err := visit(e); err != nil {
			return err
		}
	}
	var value [4]byte
	for i := range uint64(s.Cycle) {
		binary.LittleEndian.PutUint32(value[:], uint32((i*CycleFactor+CycleStep)%uint64(s.Cycle)))
		if err := visit(Entry{Int: uint32(i), Value: value[:]}); err != nil {
			return err
		}
	}
	return nil
}

// Size is the number of records and of bytes in their keys and values.
func (s *Set) Size() (entries, bytes int) {
	if s.Cycle > 0 {
		return s.Cycle, 8 * s.Cycle
	}
	for _, e := range s.Entries {
		bytes += 4 + len(e.Text) + len(e.Value)
	}
	return len(s.Entries), bytes
}

// Shard stores the set.
func (s *Set) Shard() (*store.Shard, error) {
	const perEntry, smallest = 160, 64 << 20
	entries, bytes := s.Size()
	shard, err := store.Open(store.Config{Quota: uint64(smallest + entries*perEntry + 2*bytes), Seed: 42})
	if err != nil {
		return nil, err
	}
	return shard, s.each(func(e Entry) error {
		key := store.IntKey(uint64(e.Int))
		if e.Text != "" {
			key = store.BytesKey([]byte(e.Text))
		}
		if _, r := shard.Set(key, e.Value, store.SetOptions{}, nowMillis); r != store.OK {
			return fmt.Errorf("set %s: key %d %q: %v", s.Name, e.Int, e.Text, r)
		}
		return nil
	})
}

// WriteFile writes the set for a peer: for each record the length of its key in
// bytes (0: the key is an integer), the key (4 bytes if it is an integer), the
// length of its value, the value; numbers are little-endian uint32.
func (s *Set) WriteFile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	var b []byte
	for _, e := range s.Entries {
		b = binary.LittleEndian.AppendUint32(b[:0], uint32(len(e.Text)))
		if e.Text == "" {
			b = binary.LittleEndian.AppendUint32(b, e.Int)
		}
		b = append(b, e.Text...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Value)))
		if _, err := w.Write(append(b, e.Value...)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// Graph is a graph's lists of friends.
func Graph(g graph.Graph) *Set {
	s := &Set{Name: "graph"}
	for _, e := range graph.Entries(g.Edges) {
		s.Entries = append(s.Entries, Entry{Int: e.Key, Value: e.Value})
	}
	return s
}

// Keys of Profiles are 21 bytes long.
const (
	profilePrefix = "user:profile:"
	profileFirst  = 10_000_000
)

// Profiles is a set of records of 128 bytes under byte keys.
func Profiles(keys int) *Set {
	s := &Set{Name: "profiles"}
	for i := range keys {
		s.Entries = append(s.Entries, Entry{Text: fmt.Sprint(profilePrefix, profileFirst+i), Value: record(i, 128)})
	}
	return s
}

// Records is a set of records of a size under integer keys.
func Records(keys, size int) *Set {
	s := &Set{Name: fmt.Sprint("records-", size)}
	for i := range keys {
		s.Entries = append(s.Entries, Entry{Int: uint32(i), Value: record(i, size)})
	}
	return s
}

func record(i, size int) []byte {
	v := make([]byte, size)
	for at := range v {
		v[at] = byte(i>>(8*(at&3)) + at/4)
	}
	return v
}

// Keys of Model.
const (
	ModelKey  = 1
	SampleKey = 2
)

// Model is the network wine of a file of networks (13 inputs, 5 hidden units, 3
// outputs), and the class that its sample is of. Without the file it is a network of
// the same shape whose weights are made up, and the class is −1.
func Model(path string) (*Set, int, error) {
	var models struct {
		Wine struct {
			Weights []float64 `json:"weights"`
			Input   []float64 `json:"input"`
			Expect  int       `json:"expect"`
		} `json:"wine"`
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &models)
	} else if os.IsNotExist(err) {
		err = nil
		models.Wine.Expect = -1
		for i := range 88 {
			models.Wine.Weights = append(models.Wine.Weights, math.Mod(float64(i)*0.7390851, 2)-1)
		}
		for i := range 13 {
			models.Wine.Input = append(models.Wine.Input, math.Mod(float64(i)*0.318309, 1))
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if len(models.Wine.Weights) != 88 || len(models.Wine.Input) != 13 {
		return nil, 0, fmt.Errorf("%s: network wine has %d weights and %d inputs, want 88 and 13", path, len(models.Wine.Weights), len(models.Wine.Input))
	}
	return &Set{Name: "model", Entries: []Entry{
		{Int: ModelKey, Value: doubles(models.Wine.Weights)}, {Int: SampleKey, Value: doubles(models.Wine.Input)},
	}}, models.Wine.Expect, nil
}

func doubles(list []float64) (b []byte) {
	for _, f := range list {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	return b
}
