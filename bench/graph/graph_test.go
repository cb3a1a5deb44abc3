package graph

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// countFriends is the function of the design, on the stored entries.
func countFriends(values map[uint32][]byte, id uint32, depth int) uint64 {
	friends, ok := values[id]
	if !ok {
		return 0
	}
	n := uint64(len(friends) / 4)
	if depth == 1 {
		return n
	}
	for off := 0; off < len(friends); off += 4 {
		n += countFriends(values, binary.LittleEndian.Uint32(friends[off:]), depth-1)
	}
	return n
}

func values(edges []Edge) map[uint32][]byte {
	m := make(map[uint32][]byte)
	for _, e := range Entries(edges) {
		m[e.Key] = e.Value
	}
	return m
}

func TestGeneratedShapeAndAnswers(t *testing.T) {
	edges := Generate()
	if !slices.Equal(edges, Generate()) {
		t.Fatal("two calls of Generate differ")
	}
	entries := Entries(edges)
	lengths := make([]int, 0, len(entries))
	for _, e := range entries {
		lengths = append(lengths, len(e.Value)/4)
	}
	slices.Sort(lengths)
	median, largest := lengths[len(lengths)/2], lengths[len(lengths)-1]
	t.Logf("%d edges, %d keys, median list %d, longest %d", len(edges), len(entries), median, largest)
	if len(edges) < 80000 || len(edges) > 100000 || len(entries) < 3400 || len(entries) > 4000 {
		t.Errorf("%d edges from %d nodes, want about 88,000 from about 3,700", len(edges), len(entries))
	}
	if median < 8 || median > 20 || largest < 900 || largest > 1300 {
		t.Errorf("median list %d and longest %d, want near 11 and 1,043", median, largest)
	}
	for _, e := range edges {
		if e.From >= e.To {
			t.Fatalf("edge %v is not stored with its lower node", e)
		}
	}
	store := values(edges)
	for d := 1; d <= Depths; d++ {
		if got := countFriends(store, 0, d); got != GeneratedAnswers[d-1] {
			t.Errorf("countFriends(0, %d) = %d, recorded is %d", d, got, GeneratedAnswers[d-1])
		}
	}
}

func TestAnswersAgreeWithRecursion(t *testing.T) {
	edges := Generate()
	store := values(edges)
	for _, root := range []uint32{0, 1, 107, 345, 3999, 5000} {
		for d, want := range Answers(edges, root, 3) {
			if got := countFriends(store, root, d+1); got != want {
				t.Errorf("countFriends(%d, %d) = %d, Answers says %d", root, d+1, got, want)
			}
		}
	}
}

func TestFindWithoutFileGenerates(t *testing.T) {
	g, err := Find(t.TempDir() + "/absent.txt")
	if err != nil || g.Name != "generated" || g.Answers != GeneratedAnswers || len(g.Edges) == 0 {
		t.Fatalf("got %s with %d edges and %v, error %v", g.Name, len(g.Edges), g.Answers, err)
	}
}

func TestRead(t *testing.T) {
	edges, err := Read(strings.NewReader("0 1\n0 2\n\n7 9\n"))
	if want := []Edge{{0, 1}, {0, 2}, {7, 9}}; err != nil || !slices.Equal(edges, want) {
		t.Fatalf("got %v, %v, want %v", edges, err, want)
	}
	for _, bad := range []string{"0\n", "0 1 2\n", "0 x\n", "0 4294967296\n", "-1 2\n"} {
		if _, err := Read(strings.NewReader("1 2\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("Read(%q) = %v, want an error naming line 2", bad, err)
		}
	}
}
