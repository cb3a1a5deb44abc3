package compile

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// mutate changes a few bytes of a program, with pieces of another.
func mutate(r *rand.Rand, source, other []byte) []byte {
	b := append([]byte{}, source...)
	for range 1 + r.IntN(6) {
		at := r.IntN(len(b))
		n := r.IntN(min(20, len(b)-at) + 1)
		switch r.IntN(3) {
		case 0:
			b[at] = other[r.IntN(len(other))]
		case 1:
			to := r.IntN(len(b))
			piece := append([]byte{}, b[at:at+n]...)
			b = append(b[:to:to], append(piece, b[to:]...)...)
		case 2:
			b = append(b[:at:at], b[at+n/2:]...)
		}
	}
	return b
}

// TestMutatedPrograms: what the parser still takes compiles to a valid module
// or is refused for a reason of its own.
func TestMutatedPrograms(t *testing.T) {
	paths, err := filepath.Glob("../../scripts/functions/*.js")
	if err != nil || len(paths) == 0 {
		t.Fatal("no programs", err)
	}
	var sources [][]byte
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, b)
	}
	count := 800
	if os.Getenv("SOAK") != "" {
		count *= 100
	}
	parsed, compiled := 0, 0
	for seed := range uint64(count) {
		r := rand.New(rand.NewPCG(seed, 3))
		source := mutate(r, sources[r.IntN(len(sources))], sources[r.IntN(len(sources))])
		lib, err := parseSource(string(source))
		if err != nil {
			continue
		}
		parsed++
		for name := range lib.exports {
			m, err := lib.Compile(Request{Function: name, Args: []Kind{Kind(seed % 7), Kind(seed / 7 % 7)}})
			if err == nil {
				compiled++
				validate(t, m.Wasm)
				continue
			}
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Construct == brokenCompiler {
				t.Fatalf("seed %d, %s: %v\n%s", seed, name, err, source)
			}
		}
	}
	t.Logf("%d programs parsed, %d functions compiled", parsed, compiled)
	if compiled < count/20 {
		t.Error("hardly anything compiled")
	}
}
