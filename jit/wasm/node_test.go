package wasm

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
)

// node is a process that runs testdata/node.js: V8's opinion on programs.
type node struct {
	t     testing.TB
	in    io.WriteCloser
	lines *bufio.Reader
}

// startNode returns nil if this machine has no Node; scripts/test.sh installs it.
func startNode(t testing.TB) *node {
	t.Helper()
	binary, err := exec.LookPath("node")
	if err != nil {
		t.Log("Node is not installed: programs are compared on two tiers only")
		return nil
	}
	c := exec.Command(binary, "testdata/node.js")
	in, errIn := c.StdinPipe()
	out, errOut := c.StdoutPipe()
	var said strings.Builder
	c.Stderr = &said
	if errIn != nil || errOut != nil || c.Start() != nil {
		t.Fatal("Node does not start")
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		if err := c.Wait(); err != nil {
			t.Errorf("Node: %v: %s", err, said.String())
		}
	})
	return &node{t, in, bufio.NewReader(out)}
}

// program is what Node is asked to run.
type nodeProgram struct {
	Source  string              `json:"source"`
	Entry   string              `json:"entry"`
	Records [][2]string         `json:"records"`
	Calls   [][]json.RawMessage `json:"calls"`
}

// opinion is how one call ended and what the store holds then.
type opinion struct {
	Result  string   `json:"result"`
	Records []string `json:"records"`
}

func (n *node) ask(p nodeProgram) []opinion {
	n.t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.in.Write(append(b, '\n')); err != nil {
		n.t.Fatal(err)
	}
	line, err := n.lines.ReadBytes('\n')
	if err != nil {
		n.t.Fatal(err)
	}
	var opinions []opinion
	if err := json.Unmarshal(line, &opinions); err != nil {
		n.t.Fatalf("Node: %s", line)
	}
	return opinions
}

// argumentJSON is encoded arguments as JSON has them; a double keeps its bits.
func argumentJSON(b []byte) (list []json.RawMessage) {
	for len(b) > 0 {
		a, rest, _ := wire.FirstArg(b)
		b = rest
		text := "null"
		switch a.Tag() {
		case wire.TagTrue:
			text = "true"
		case wire.TagFalse:
			text = "false"
		case wire.TagInt:
			text = strconv.FormatInt(a.Int(), 10)
		case wire.TagDouble:
			text = strconv.FormatFloat(a.Double(), 'g', -1, 64)
		case wire.TagString:
			quoted, _ := json.Marshal(string(a.Bytes())) // a string always has a form
			text = string(quoted)
		}
		list = append(list, json.RawMessage(text))
	}
	return list
}

// show writes an outcome in node.js' notation; an exception without its message,
// which differs from engine to engine.
func show(out jit.Outcome, result []byte) string {
	if out.Status == jit.Exception {
		return "throws"
	}
	if out.Status != jit.OK {
		return out.Status.String()
	}
	a, _, _ := wire.FirstArg(result)
	switch a.Tag() {
	case wire.TagTrue:
		return "true"
	case wire.TagFalse:
		return "false"
	case wire.TagInt:
		return fmt.Sprint("i:", a.Int())
	case wire.TagDouble:
		if a.Double() != a.Double() {
			return "d:nan"
		}
		return fmt.Sprintf("d:%016x", math.Float64bits(a.Double()))
	case wire.TagString:
		return "s:" + string(a.Bytes())
	case wire.TagBytes:
		return "b:" + hex.EncodeToString(a.Bytes())
	case wire.TagJSON:
		return "j:" + string(a.Bytes())
	}
	return "null"
}

// contents are a shard's records in node.js' notation; versions and expiry apart.
func contents(s *store.Shard) (list []string) {
	for cursor := uint64(0); ; {
		next, _ := s.Scan(cursor, 1024, testNow, func(k store.Key, e store.Entry) bool {
			list = append(list, fmt.Sprintf("%x %x", keyText(k), e.Value))
			return true
		})
		if next == 0 {
			slices.Sort(list)
			return list
		}
		cursor = next
	}
}

func keyText(k store.Key) string {
	if k.Bytes == nil {
		return strconv.FormatUint(k.Int, 10)
	}
	return string(k.Bytes)
}

// third is Node's part in a comparison of the tiers: what it is told, and what
// the second shard's runs said.
type third struct {
	program nodeProgram
	got     []opinion
	ended   bool // a call met a limit, which Node does not have
}

func newThird(b *tiers, source, entry string) *third {
	n := &third{program: nodeProgram{Source: source, Entry: entry}}
	for _, record := range contents(b.shards[1]) {
		key, value, _ := strings.Cut(record, " ")
		n.program.Records = append(n.program.Records, [2]string{key, value})
	}
	return n
}

// remember notes the call that b has just made.
func (n *third) remember(b *tiers, args []byte) {
	result := show(b.latest, b.latestResult)
	// A result of 2^53 is refused here, which Node does not know.
	refused := bytes.HasSuffix(b.latest.Message, []byte("beyond 2^53"))
	if n.ended = n.ended || refused || b.latest.Status != jit.OK && b.latest.Status != jit.Exception; n.ended {
		return
	}
	n.program.Calls = append(n.program.Calls, argumentJSON(args))
	n.got = append(n.got, opinion{result, contents(b.shards[1])})
}

// compare asks Node and fails where it is of another opinion.
func (n *third) compare(t *testing.T, asked *node) {
	t.Helper()
	if len(n.got) == 0 {
		return
	}
	for i, want := range asked.ask(n.program) {
		got := n.got[i]
		if got.Result == "throws" && strings.HasPrefix(want.Result, "throws ") {
			got.Result = want.Result
		}
		if got.Result != want.Result && !knownDifference(got.Result, want.Result) {
			t.Errorf("call %d (%s): Node %s, tier 1 %s", i, n.program.Calls[i], want.Result, got.Result)
		}
		if !slices.Equal(got.Records, want.Records) {
			t.Errorf("call %d (%s): Node leaves\n%q, tier 1\n%q", i, n.program.Calls[i], want.Records, got.Records)
		}
	}
}

// knownDifference says that a call which ran on tier 0 only, for it is not compiled,
// lost the sign of a zero, as goja does (docs/compiler.md).
func knownDifference(ours, nodes string) bool {
	return ours == "i:0" && nodes == "d:8000000000000000"
}
