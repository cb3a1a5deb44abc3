package tenants

import (
	"encoding/hex"

	"shredder/jit"
	"shredder/jit/wasm"
	"shredder/store"
)

// Hash names a version: the SHA-256 of its source.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads 64 hexadecimal digits.
func ParseHash(text string) (h Hash, ok bool) {
	if len(text) != 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(text))
	return h, err == nil
}

// Version is one deployed library, immutable.
type Version struct {
	Hash Hash
	// Library is the name it was deployed under, a label without meaning.
	Library string
	// Functions are the names it exports.
	Functions []string
	// Source is the library's text.
	Source []byte
	// SourceSize is in bytes.
	SourceSize     int
	DeployedMillis int64

	program Program
	mutates map[string]bool // functions that change module state; only those
	library *wasm.Library   // for tier 1; nil if nothing of it compiles
	refusal jit.Reason      // why
}

func newVersion(library string, source []byte, p Program, nowMillis int64) *Version {
	v := &Version{Hash: p.Hash(), Library: library, Functions: p.Functions(), Source: source, SourceSize: len(source),
		DeployedMillis: nowMillis, program: p, mutates: map[string]bool{}}
	for _, f := range v.Functions {
		if p.MutatesModule(f) {
			v.mutates[f] = true
		}
	}
	v.library, v.refusal = p.Compiled()
	return v
}

// Program is a compiled library.
type Program interface {
	Hash() [32]byte
	Functions() []string
	// MutatesModule says whether calls of a function may change module state.
	MutatesModule(function string) bool
	// Source is the library as it was deployed.
	Source() string
	// Compiled is what compiles the library's functions for tier 1, or why nothing does.
	Compiled() (*wasm.Library, jit.Reason)
}

// Loader turns sources into what runs them. Control threads call it, several at once.
type Loader interface {
	// Compile reports what is wrong with a source as a *LibraryError.
	Compile(source []byte, limits *jit.Limits) (Program, error)
	// NewRuntime runs the library's top level, under fuel, for one tenant. It must
	// not touch the shard; the runtime will, on the home lcore.
	NewRuntime(p Program, shard *store.Shard, at Instance) (Runtime, error)
}

// Instance says for whom and when a Runtime is made.
type Instance struct {
	Tenant    string
	Limits    *jit.Limits
	NowMillis int64
}

// LibraryError says why a library does not load. Line and Column count from 1,
// 0 if there is no position.
type LibraryError struct {
	Line, Column int
	Message      string
}

func (e *LibraryError) Error() string { return e.Message }
