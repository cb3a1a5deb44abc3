// Package corpus reads the programs of scripts/functions, which say what a
// function means whichever tier runs it: each is a library with directives in
// comments that set keys, call functions and state results and store contents.
// Tests of every tier run all of them. Any thread may call it.
//
//	//@ set KEY VALUE              set a key before going on
//	//@ call NAME [ARG, …] = RESULT
//	//@ store KEY = VALUE          what the store holds now, or: missing
//	//@ log LEVEL "TEXT"           a console line of the last call, in order
//
// KEY is a number or a JSON string. VALUE is "text", a number (decimal text),
// u8[…] … f64[…] or hex(…). ARG is JSON, or bytes(hex). RESULT is JSON for
// numbers, strings, booleans and null; object(JSON); bytes(hex); double(-0),
// double(NaN) and kin; throws "MESSAGE" LINE:COLUMN; or status NAME.
package corpus

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
)

// Program is one file of the corpus.
type Program struct {
	Name   string
	Source []byte
	Steps  []Step
}

// Step is one directive.
type Step struct {
	Line int
	Verb string // set, call, store, log
	Text string // what stands behind the verb
}

// Target is a tier with a tenant of its own.
type Target interface {
	Set(k store.Key, value []byte)
	Get(k store.Key) (value []byte, found bool)
	// Call returns the outcome, the encoded result and the console lines as
	// `LEVEL TEXT`. It commits when the outcome is OK.
	Call(function string, args []byte) (out jit.Outcome, result []byte, log []string)
}

// Load reads every *.js of a directory.
func Load(dir string) ([]Program, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.js"))
	if err != nil {
		return nil, err
	}
	var all []Program
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p := Program{Name: strings.TrimSuffix(filepath.Base(path), ".js"), Source: source}
		for i, line := range strings.Split(string(source), "\n") {
			if rest, ok := strings.CutPrefix(line, "//@ "); ok {
				verb, text, _ := strings.Cut(rest, " ")
				p.Steps = append(p.Steps, Step{i + 1, verb, strings.TrimSpace(text)})
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// Run executes the steps on a target and returns the first that went wrong.
func (p *Program) Run(t Target) error {
	var log []string
	for _, s := range p.Steps {
		var err error
		if log, err = s.run(t, log); err != nil {
			return fmt.Errorf("%s.js:%d: %s %s: %w", p.Name, s.Line, s.Verb, s.Text, err)
		}
	}
	return nil
}

func (s *Step) run(t Target, log []string) ([]string, error) {
	switch s.Verb {
	case "set":
		keyText, valueText, _ := strings.Cut(s.Text, " ")
		k, err := parseKey(keyText)
		if err != nil {
			return log, err
		}
		v, err := parseValue(valueText)
		if err != nil {
			return log, err
		}
		t.Set(k, v)
		return log, nil
	case "call":
		return s.call(t)
	case "store":
		return log, s.check(t)
	case "log":
		if len(log) == 0 {
			return nil, fmt.Errorf("no such console line")
		}
		level, text, _ := strings.Cut(s.Text, " ")
		want, err := strconv.Unquote(text)
		if err != nil {
			return nil, err
		}
		if log[0] != level+" "+want {
			return nil, fmt.Errorf("the line is %q", log[0])
		}
		return log[1:], nil
	}
	return log, fmt.Errorf("unknown directive")
}

func (s *Step) call(t Target) ([]string, error) {
	name, rest, _ := strings.Cut(s.Text, " ")
	end := strings.Index(rest, "] = ")
	if end < 0 || rest[0] != '[' {
		return nil, fmt.Errorf("want: NAME [ARGS] = RESULT")
	}
	args, err := parseArgs(rest[1:end])
	if err != nil {
		return nil, err
	}
	out, result, log := t.Call(name, args)
	if got, want := Show(out, result), rest[end+4:]; got != want {
		return log, fmt.Errorf("got %s", got)
	}
	return log, nil
}

func (s *Step) check(t Target) error {
	keyText, valueText, _ := strings.Cut(s.Text, " = ")
	k, err := parseKey(keyText)
	if err != nil {
		return err
	}
	got, found := t.Get(k)
	if valueText == "missing" {
		if found {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	}
	want, err := parseValue(valueText)
	if err != nil {
		return err
	}
	if !found || !bytes.Equal(got, want) {
		return fmt.Errorf("it is %q (found %v)", got, found)
	}
	return nil
}

// Show writes how a call ended in the form of the directives.
func Show(out jit.Outcome, result []byte) string {
	switch out.Status {
	case jit.OK:
	case jit.Exception:
		return fmt.Sprintf("throws %q %d:%d", out.Message, out.Line, out.Column)
	default:
		return "status " + out.Status.String()
	}
	a, rest, st := wire.FirstArg(result)
	if st != wire.StatusOK || len(rest) != 0 {
		return fmt.Sprintf("malformed %x", result)
	}
	switch a.Tag() {
	case wire.TagNull:
		return "null"
	case wire.TagFalse:
		return "false"
	case wire.TagTrue:
		return "true"
	case wire.TagInt:
		return strconv.FormatInt(a.Int(), 10)
	case wire.TagDouble:
		if f := a.Double(); math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
			return "double(" + strconv.FormatFloat(f, 'g', -1, 64) + ")"
		}
		return strconv.FormatFloat(a.Double(), 'g', -1, 64)
	case wire.TagString:
		return strconv.Quote(string(a.Bytes()))
	case wire.TagBytes:
		return "bytes(" + hex.EncodeToString(a.Bytes()) + ")"
	}
	return "object(" + string(a.Bytes()) + ")"
}

func parseKey(text string) (store.Key, error) {
	if n, err := strconv.ParseUint(text, 10, 53); err == nil {
		return store.IntKey(n), nil
	}
	s, err := strconv.Unquote(text)
	return store.BytesKey([]byte(s)), err
}

func parseValue(text string) ([]byte, error) {
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		return []byte(s), err
	}
	if inner, ok := strings.CutPrefix(text, "hex("); ok {
		return hex.DecodeString(strings.TrimSuffix(inner, ")"))
	}
	kind, inner, ok := strings.Cut(text, "[")
	if !ok {
		return []byte(text), nil
	}
	var out []byte
	for _, field := range strings.FieldsFunc(strings.TrimSuffix(inner, "]"), func(r rune) bool { return r == ',' || r == ' ' }) {
		f, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, err
		}
		switch kind {
		case "u8", "i8":
			out = append(out, byte(int64(f)))
		case "u16", "i16":
			out = binary.LittleEndian.AppendUint16(out, uint16(int64(f)))
		case "u32", "i32":
			out = binary.LittleEndian.AppendUint32(out, uint32(int64(f)))
		case "f32":
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(f)))
		case "f64":
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(f))
		default:
			return nil, fmt.Errorf("unknown kind %q", kind)
		}
	}
	return out, nil
}

// parseArgs encodes a list of JSON texts and bytes(hex).
func parseArgs(text string) ([]byte, error) {
	var out []byte
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(strings.TrimPrefix(text, ",")) {
		if inner, ok := strings.CutPrefix(text, "bytes("); ok {
			digits, rest, _ := strings.Cut(inner, ")")
			b, err := hex.DecodeString(digits)
			if err != nil {
				return nil, err
			}
			out, text = wire.AppendBytes(out, b), strings.TrimSpace(rest)
			continue
		}
		d := json.NewDecoder(strings.NewReader(text))
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		text = strings.TrimSpace(text[d.InputOffset():])
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case nil:
			out = wire.AppendNull(out)
		case bool:
			out = wire.AppendBool(out, v)
		case float64:
			if string(raw) == "-0" {
				v = math.Copysign(0, -1)
			}
			out = wire.AppendDouble(out, v)
		case string:
			out = wire.AppendString(out, v)
		default:
			out = wire.AppendJSON(out, raw)
		}
	}
	return out, nil
}
