// Package vectors reads and writes testdata/vectors.txt of package wire, whose
// head explains its form: datagrams in hex beside what they say. It is for
// tests, of any thread.
package vectors

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"shredder/pktproc/wire"
)

// Vector is one datagram and what it says.
type Vector struct {
	Name  string
	Bytes []byte
	Lines []string // "parse …", "header …", "op …", "check …"
}

// Fact is a line "kind name=value … = hex" about something smaller than a
// datagram: an argument, a cookie, a proof, a sealed secret.
type Fact struct {
	Kind   string
	Fields map[string]string
	Bytes  []byte
}

// Load reads the file at path.
func Load(path string) (vectors []Vector, facts []Fact, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for number, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "vector":
			vectors = append(vectors, Vector{Name: rest})
		case "hex", "parse", "header", "op", "check":
			if len(vectors) == 0 {
				return nil, nil, fmt.Errorf("line %d stands before the first vector", number+1)
			}
			v := &vectors[len(vectors)-1]
			if word != "hex" {
				v.Lines = append(v.Lines, line)
				continue
			}
			part, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
			if err != nil {
				return nil, nil, fmt.Errorf("line %d: %w", number+1, err)
			}
			v.Bytes = append(v.Bytes, part...)
		default:
			f, err := parseFact(word, rest)
			if err != nil {
				return nil, nil, fmt.Errorf("line %d: %w", number+1, err)
			}
			facts = append(facts, f)
		}
	}
	return vectors, facts, nil
}

func parseFact(kind, rest string) (Fact, error) {
	text, code, ok := strings.Cut(rest, " =")
	if !ok {
		return Fact{}, fmt.Errorf("%q says nothing", kind)
	}
	f := Fact{Kind: kind, Fields: map[string]string{}}
	for _, field := range strings.Fields(text) {
		name, value, _ := strings.Cut(field, "=")
		f.Fields[name] = value
	}
	var err error
	f.Bytes, err = hex.DecodeString(strings.TrimSpace(code))
	return f, err
}

// Find is the vector of that name, or nil.
func Find(vectors []Vector, name string) *Vector {
	for i := range vectors {
		if vectors[i].Name == name {
			return &vectors[i]
		}
	}
	return nil
}

// Describe says in the file's words what a datagram is, including how a server
// would judge the first operation that it would refuse.
func Describe(b []byte) []string {
	h, ops, st := wire.Parse(b)
	lines := []string{"parse " + st.String()}
	if st != wire.StatusOK {
		return lines
	}
	lines = append(lines, fmt.Sprintf("header flags=%s status=%v session=%#x secret=%#x seq=%d first=%d port=%d deadline=%d",
		flagNames(h.Flags(), datagramFlags), h.Status(), h.Session(), h.Secret(), h.Seq(), h.First(), h.Port(), h.DeadlineMillis()))
	check := wire.StatusOK
	if h.Flags()&wire.FlagReply == 0 {
		check = wire.CheckRequest(h)
	}
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		lines = append(lines, describeOp(op))
		if check == wire.StatusOK && h.Flags()&wire.FlagReply == 0 {
			check = wire.CheckOp(op)
		}
	}
	if h.Flags()&wire.FlagReply == 0 {
		lines = append(lines, "check "+check.String())
	}
	return lines
}

func describeOp(op wire.Op) string {
	var s strings.Builder
	fmt.Fprintf(&s, "op %v flags=%s status=%v words=", op.Code(), flagNames(op.Flags()&^(wire.OpFlagIntKey|wire.OpFlagReceipt), opFlags), op.Status())
	for i := range op.Words() {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, "%#x", op.Word(i))
	}
	if r, ok := op.Receipt(); ok {
		fmt.Fprintf(&s, " receipt=%d,%d,%d,%d,%d", r.Fuel, r.Lookups, r.BytesRead, r.BytesReturned, r.Tier)
	}
	if n, ok := op.IntKey(); ok {
		fmt.Fprintf(&s, " key=int:%d", n)
	} else {
		fmt.Fprintf(&s, " key=%s", describeBytes(op.Key()))
	}
	fmt.Fprintf(&s, " value=%s", describeBytes(op.Value()))
	return s.String()
}

// describeBytes is text:… for words of letters and digits, zeros:n, or hex:….
func describeBytes(b []byte) string {
	text, zero := len(b) > 0, len(b) > 0
	for _, c := range b {
		text = text && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_')
		zero = zero && c == 0
	}
	switch {
	case len(b) == 0:
		return ""
	case zero:
		return fmt.Sprintf("zeros:%d", len(b))
	case text:
		return "text:" + string(b)
	}
	return "hex:" + hex.EncodeToString(b)
}

type flagName struct {
	bit  uint8
	name string
}

var datagramFlags = []flagName{
	{wire.FlagReply, "reply"}, {wire.FlagAtomic, "atomic"}, {wire.FlagTrusted, "trusted"}, {wire.FlagReceipt, "receipt"},
}

var opFlags = []flagName{
	{wire.OpFlagIfVersion, "if-version"}, {wire.OpFlagTTL, "ttl"}, {wire.OpFlagPushed, "pushed"},
	{wire.OpFlagPartial, "partial"}, {wire.OpFlagRange, "range"},
}

func flagNames(flags uint8, names []flagName) string {
	var set []string
	for _, f := range names {
		if flags&f.bit != 0 {
			set = append(set, f.name)
			flags &^= f.bit
		}
	}
	if flags != 0 {
		set = append(set, fmt.Sprintf("%#x", flags))
	}
	if len(set) == 0 {
		return "none"
	}
	return strings.Join(set, "|")
}
