package wire_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"shredder/pktproc/wire"
	"shredder/pktproc/wire/vectors"
)

const vectorsPath = "testdata/vectors.txt"

var update = flag.Bool("update", false, "fill in what vectors.txt leaves to the encoder")

func load(t testing.TB) ([]vectors.Vector, []vectors.Fact) {
	t.Helper()
	vs, facts, err := vectors.Load(vectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	return vs, facts
}

func isInvalid(v *vectors.Vector) bool { return strings.HasPrefix(v.Lines[0], "parse ") }

// TestVectorsParse reads every datagram and compares what it says.
func TestVectorsParse(t *testing.T) {
	if *update {
		fillIn(t)
	}
	vs, _ := load(t)
	if len(vs) < 60 {
		t.Fatalf("only %d vectors", len(vs))
	}
	for i := range vs {
		v := &vs[i]
		want := v.Lines
		if !isInvalid(v) {
			want = append([]string{"parse OK"}, want...)
		}
		if got := vectors.Describe(v.Bytes); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", v.Name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// TestVectorsEncode writes every datagram from what it says.
func TestVectorsEncode(t *testing.T) {
	vs, _ := load(t)
	for i := range vs {
		v := &vs[i]
		if isInvalid(v) {
			continue
		}
		got, err := vectors.Build(v.Lines)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
		} else if !bytes.Equal(got, v.Bytes) {
			t.Errorf("%s\ngot  %x\nwant %x", v.Name, got, v.Bytes)
		}
	}
}

// TestVectorsCover: each opcode and each refusal of Parse has an example.
func TestVectorsCover(t *testing.T) {
	vs, _ := load(t)
	all := ""
	for _, v := range vs {
		all += strings.Join(v.Lines, "\n") + "\n"
	}
	for code := wire.OpHello; int(code) < wire.Opcodes; code++ {
		if !strings.Contains(all, "op "+code.String()+" ") {
			t.Errorf("no example of %v", code)
		}
	}
	for _, st := range []wire.Status{wire.StatusMalformed, wire.StatusUnsupported, wire.StatusTooLarge} {
		if !strings.Contains(all, "parse "+st.String()) || !strings.Contains(all, "check "+st.String()) {
			t.Errorf("no example of %v", st)
		}
	}
}

// TestVectorsRecords reads the records inside the values.
func TestVectorsRecords(t *testing.T) {
	vs, _ := load(t)
	value := func(name string) []byte {
		_, ops, _ := wire.Parse(vectors.Find(vs, name).Bytes)
		op, _, _ := wire.FirstOp(ops)
		return op.Value()
	}
	a, rest, st := wire.FirstItem(value("multi-get of 7 and name"))
	b, rest, st2 := wire.FirstItem(rest)
	if st != wire.StatusOK || st2 != wire.StatusOK || a.Bytes != nil || a.Int != 7 || string(b.Bytes) != "name" || len(rest) != 0 {
		t.Errorf("items %+v %+v", a, b)
	}
	f, rest, st := wire.FirstFound(value("multi-get reply"))
	g, rest, st2 := wire.FirstFound(rest)
	if st != wire.StatusOK || st2 != wire.StatusOK || string(f.Value) != "abc" || f.Version != 5 || g.Status != wire.StatusNotFound || len(rest) != 0 {
		t.Errorf("found %+v %+v, %d bytes left", f, g, len(rest))
	}
	l, rest, st := wire.FirstLog(value("logs reply"))
	if st != wire.StatusOK || l.Seq != 1 || l.UnixMillis != 1700000000000 || l.Level != 1 || string(l.Text) != "hi" || len(rest) != 0 {
		t.Errorf("log %v %+v", st, l)
	}
}

func TestVectorsFacts(t *testing.T) {
	_, facts := load(t)
	for _, f := range facts {
		got, err := encodeFact(f)
		if err != nil {
			t.Errorf("%s %v: %v", f.Kind, f.Fields, err)
		} else if !bytes.Equal(got, f.Bytes) {
			t.Errorf("%s %v: %x, want %x", f.Kind, f.Fields, got, f.Bytes)
		}
		if f.Kind == "arg" {
			if a, rest, st := wire.FirstArg(f.Bytes); st != wire.StatusOK || len(rest) != 0 || !bytes.Equal(a, f.Bytes) {
				t.Errorf("arg %v is not read: %v", f.Fields, st)
			}
		}
	}
}

func encodeFact(f vectors.Fact) ([]byte, error) {
	fields := f.Fields
	number := func(s string) uint64 {
		n, _ := strconv.ParseUint(s, 10, 64)
		return n
	}
	unhex := func(name string) []byte {
		b, _ := hex.DecodeString(fields[name])
		return b
	}
	first, second, _ := strings.Cut(fields["nonce"], ",")
	nonce := [2]uint64{number(first), number(second)}
	token, err := vectors.Bytes(fields["token"])
	if err != nil {
		return nil, err
	}
	switch f.Kind {
	case "arg":
		return encodeArg(fields)
	case "cookie":
		c := wire.MakeCookie((*[32]byte)(unhex("key")), number(fields["epoch"]), [16]byte(unhex("addr")), uint16(number(fields["port"])))
		return c[:], nil
	case "proof":
		tenant, err := vectors.Bytes(fields["tenant"])
		p := wire.MakeProof(token, unhex("cookie"), nonce, number(fields["role"]), tenant)
		return p[:], err
	case "sealed":
		s, err := wire.SealSecret(token, unhex("cookie"), nonce, uint32(number(fields["session"])), uint32(number(fields["tenant"])), number(fields["secret"]))
		return s[:], err
	}
	return nil, fmt.Errorf("no such kind")
}

func encodeArg(fields map[string]string) ([]byte, error) {
	for name, text := range fields {
		switch name {
		case "null":
			return wire.AppendNull(nil), nil
		case "bool":
			return wire.AppendBool(nil, text == "true"), nil
		case "int":
			n, err := strconv.ParseInt(text, 10, 64)
			return wire.AppendInt(nil, n), err
		case "double":
			d, err := strconv.ParseFloat(text, 64)
			return wire.AppendDouble(nil, d), err
		}
		b, err := vectors.Bytes(text)
		switch name {
		case "string":
			return wire.AppendString(nil, string(b)), err
		case "bytes":
			return wire.AppendBytes(nil, b), err
		case "json":
			return wire.AppendJSON(nil, b), err
		}
	}
	return nil, fmt.Errorf("no such argument")
}

// fillIn writes the bytes of the vectors that have none.
func fillIn(t *testing.T) {
	vs, facts := load(t)
	b, err := os.ReadFile(vectorsPath)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := range vs {
		if v := &vs[i]; len(v.Bytes) == 0 {
			d, err := vectors.Build(v.Lines)
			if err != nil {
				t.Fatalf("%s: %v", v.Name, err)
			}
			text = strings.Replace(text, "vector "+v.Name+"\n", "vector "+v.Name+"\n"+hexLines(d), 1)
		}
	}
	lines := strings.Split(text, "\n")
	for _, f := range facts {
		for i, line := range lines {
			if len(f.Bytes) == 0 && strings.HasPrefix(line, f.Kind+" ") && strings.HasSuffix(line, " = ") {
				d, err := encodeFact(f)
				if err != nil {
					t.Fatal(err)
				}
				lines[i] = line + hex.EncodeToString(d)
				break
			}
		}
	}
	if err := os.WriteFile(vectorsPath, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func hexLines(b []byte) string {
	var s strings.Builder
	for chunk := range slices.Chunk(b, 32) {
		s.WriteString("hex")
		for word := range slices.Chunk(chunk, 8) {
			fmt.Fprintf(&s, " %x", word)
		}
		s.WriteByte('\n')
	}
	return s.String()
}
