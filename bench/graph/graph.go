// Package graph is the social graph that the benchmarks, the tests and the
// demonstration load: the ego-Facebook file where it is at hand, and a
// generated graph of the same shape where it is not, each with known answers
// of countFriends.
//
// It owns no state; every function is pure and may be called from any thread.
package graph

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Edge is one friendship, stored with the lower node.
type Edge struct {
	From, To uint32
}

// Depths is how many depths of countFriends(0, 1..Depths) have known answers.
const Depths = 4

// FacebookAnswers are countFriends(0, 1..4) on the ego-Facebook graph.
var FacebookAnswers = [Depths]uint64{347, 4060, 68675, 1540085}

// Graph is a list of edges, grouped by From, with the answers it must give.
type Graph struct {
	// Name is "ego-facebook" or "generated", or the path of another file.
	Name  string
	Edges []Edge
	// Answers are countFriends(0, 1..Depths).
	Answers [Depths]uint64
}

// Entry is one record to store: a node and the little-endian uint32 of its
// friends, in the order of the edges.
type Entry struct {
	Key   uint32
	Value []byte
}

// Find reads the graph at path, or generates one if there is no such file. An
// empty path generates. Answers of a file are those of FacebookAnswers if it
// has that graph's size, and computed otherwise.
func Find(path string) (Graph, error) {
	generated := Graph{Name: "generated", Answers: GeneratedAnswers}
	if path == "" {
		generated.Edges = Generate()
		return generated, nil
	}
	edges, err := Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		generated.Edges = Generate()
		return generated, nil
	}
	if err != nil {
		return Graph{}, err
	}
	if len(edges) == facebookEdges {
		return Graph{Name: "ego-facebook", Edges: edges, Answers: FacebookAnswers}, nil
	}
	g := Graph{Name: path, Edges: edges}
	copy(g.Answers[:], Answers(edges, 0, Depths))
	return g, nil
}

const facebookEdges = 88234

// Load reads a file of lines "a b" (see Read).
func Load(path string) ([]Edge, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	edges, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return edges, nil
}

// Read reads lines "a b", decimal node numbers below 2^32. Empty lines are
// skipped; anything else is an error that names the line.
func Read(r io.Reader) ([]Edge, error) {
	var edges []Edge
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d: want two node numbers, have %d fields", number, len(fields))
		}
		from, errFrom := strconv.ParseUint(fields[0], 10, 32)
		to, errTo := strconv.ParseUint(fields[1], 10, 32)
		if err := errors.Join(errFrom, errTo); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		edges = append(edges, Edge{uint32(from), uint32(to)})
	}
	return edges, lines.Err()
}

// Entries groups edges by From, in order of first appearance.
func Entries(edges []Edge) []Entry {
	index := make(map[uint32]int)
	var entries []Entry
	for _, e := range edges {
		i, known := index[e.From]
		if !known {
			i = len(entries)
			index[e.From] = i
			entries = append(entries, Entry{Key: e.From})
		}
		entries[i].Value = binary.LittleEndian.AppendUint32(entries[i].Value, e.To)
	}
	return entries
}

// Answers returns countFriends(root, 1..depths): the sum of the list lengths
// along all paths from root, as the function of the design counts it. It works
// level by level, so it agrees with the recursion without repeating it.
func Answers(edges []Edge, root uint32, depths int) []uint64 {
	friends := make(map[uint32][]uint32)
	for _, e := range edges {
		friends[e.From] = append(friends[e.From], e.To)
	}
	answers := make([]uint64, depths)
	paths := map[uint32]uint64{root: 1}
	total := uint64(0)
	for d := range answers {
		next := make(map[uint32]uint64)
		for node, count := range paths {
			total += count * uint64(len(friends[node]))
			for _, friend := range friends[node] {
				next[friend] += count
			}
		}
		answers[d] = total
		paths = next
	}
	return answers
}
