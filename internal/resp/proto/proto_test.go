package proto

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// all parses every request of b and joins the arguments for comparison; in pieces of step
// bytes if step is not 0.
func all(b []byte, step int) string {
	var r Reader
	r.Limit(1000, 1<<20)
	if step == 0 {
		step = len(b)
	}
	var out strings.Builder
	for from, to := 0, 0; ; {
		args, n, err := r.Next(b[from:to])
		if err != nil {
			return out.String() + err.Error()
		}
		if args == nil {
			if to == len(b) {
				return out.String() + "…"
			}
			to = min(to+step, len(b))
			continue
		}
		fmt.Fprintf(&out, "%q ", args)
		from += n
	}
}

func TestRequests(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "…",
		"*1\r\n$4\r\nPING\r\n":                  `["PING"] …`,
		"*2\r\n$3\r\nGET\r\n$0\r\n\r\n":         `["GET" ""] …`,
		"*0\r\n*-1\r\nPING\r\n":                 `[] [] ["PING"] …`,
		"\r\n\nPING\n":                          `[] [] ["PING"] …`,
		"*2\r\n$3\r\nGET\r\n$1\r\n":             "…",
		"*1\r\n$2\r\n\r\n\r\n":                  `["\r\n"] …`,
		"set a  \"b \\x41\\n\\q\"\tc\r\n":       `["set" "a" "b A\nq" "c"] …`,
		"a 'b\\'\\n' x\"y\" \"\"\n":             `["a" "b'\\n" "xy" ""] …`,
		"a \"b\n":                               ErrQuotes.Error(),
		"a \"b\"c\n":                            ErrQuotes.Error(),
		"a 'b'c\n":                              ErrQuotes.Error(),
		"*x\r\n":                                ErrArgs.Error(),
		"*01\r\n":                               ErrArgs.Error(),
		"*+1\r\n":                               ErrArgs.Error(),
		"*\r\n":                                 ErrArgs.Error(),
		"*1001\r\n":                             ErrArgsBeforeAuth.Error(),
		"*2000000\r\n":                          ErrArgs.Error(),
		"*99999999999999999999\r\n":             ErrArgs.Error(),
		"*1\r\n$-1\r\n":                         ErrBulk.Error(),
		"*1\r\n$2000000\r\n":                    ErrBulkBeforeAuth.Error(),
		"*1\r\n$99999999\r\n":                   ErrBulk.Error(),
		"*1\r\n$ 1\r\n":                         ErrBulk.Error(),
		"*1\r\n:1\r\n":                          "ERR Protocol error: expected '$', got ':'",
		"*" + strings.Repeat("1", 70_000):       ErrCountTooBig.Error(),
		strings.Repeat("a", 70_000):             ErrInlineTooBig.Error(),
		"*1\r\n$" + strings.Repeat("1", 70_000): ErrSizeTooBig.Error(),
	} {
		if got := all([]byte(in), 0); got != want {
			t.Errorf("%.60q:\n got %.100s\nwant %.100s", in, got, want)
		}
		if len(in) > 1000 {
			continue
		}
		for step := 1; step < 5; step++ {
			if got := all([]byte(in), step); got != want {
				t.Errorf("%.60q in pieces of %d: %.100s", in, step, got)
			}
		}
	}
}

// TestLimitsBeforeAuth: the zero Reader is that of a stranger.
func TestLimitsBeforeAuth(t *testing.T) {
	for in, want := range map[string]error{
		"*11\r\n":             ErrArgsBeforeAuth,
		"*10\r\n":             nil,
		"*1\r\n$16385\r\n":    ErrBulkBeforeAuth,
		"*1\r\n$16384\r\n":    nil,
		"*1048577\r\n":        ErrArgs,
		"*1\r\n$99999999\r\n": ErrBulk,
	} {
		var r Reader
		if _, _, err := r.Next([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

// TestLongRequestsAreParsedOnce: a million arguments that come one by one take time in
// proportion, and room for what has come, not for what was announced.
func TestLongRequestsAreParsedOnce(t *testing.T) {
	var r Reader
	r.Limit(MaxArgs, MaxBulk)
	b := fmt.Appendf(nil, "*%d\r\n", MaxArgs)
	if args, _, err := r.Next(b); args != nil || err != nil || cap(r.spans) > 0 {
		t.Fatalf("%v, %v, room for %d", args, err, cap(r.spans))
	}
	const pieces = 100_000
	start := time.Now()
	for range pieces {
		b = append(b, "$1\r\nx\r\n"...)
		if args, _, err := r.Next(b); args != nil || err != nil {
			t.Fatal(args, err)
		}
	}
	if r.left != MaxArgs-pieces || r.at != len(b) {
		t.Errorf("%d arguments left, %d of %d bytes parsed, after %v", r.left, r.at, len(b), time.Since(start))
	}
	b = append(b, bytes.Repeat([]byte("$1\r\nx\r\n"), MaxArgs-pieces)...)
	args, n, err := r.Next(b)
	if len(args) != MaxArgs || n != len(b) || err != nil {
		t.Errorf("%d arguments of %d bytes, %v", len(args), n, err)
	}
	r.Next([]byte("*1\r\n$4\r\nPING\r\n"))
	if cap(r.args) > keep || cap(r.spans) > keep {
		t.Errorf("room for %d arguments is kept", cap(r.args))
	}
}

// TestWant: a long argument says how much must come.
func TestWant(t *testing.T) {
	var r Reader
	if args, _, err := r.Next([]byte("*2\r\n$3\r\nGET\r\n$1000\r\nab")); args != nil || err != nil || r.Want() != 4+9+7+1002 {
		t.Errorf("%q, %v, wants %d", args, err, r.Want())
	}
}

func TestNoAllocations(t *testing.T) {
	var r Reader
	var w Writer
	requests := [][]byte{[]byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"), []byte("set a \"b c\"\r\n")}
	out := make([]byte, 0, 512)
	f := func() {
		w.Reset(out, 3)
		for _, b := range requests {
			args, n, err := r.Next(b)
			if len(args) != 3 || n != len(b) || err != nil {
				t.Fatal(args, n, err)
			}
			w.Array(len(args))
			for _, a := range args {
				w.Bulk(a)
			}
		}
	}
	f()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReplies(t *testing.T) {
	write := func(w *Writer) {
		w.Simple("OK")
		w.Error("ERR a\r\nb")
		w.Int(-7)
		w.Bulk([]byte("x\r\n"))
		w.BulkInt(12)
		w.Null()
		w.NullArray()
		w.Array(1)
		w.Map(1)
		w.Set(2)
		w.Push(1)
		w.Bool(true)
		w.Bool(false)
		w.Double(0.1)
		w.Double(1e300)
		w.Double(-1 / zero)
		w.Verbatim("txt", "hi")
	}
	for version, want := range map[int]string{
		2: "+OK\r\n-ERR a  b\r\n:-7\r\n$3\r\nx\r\n\r\n$2\r\n12\r\n$-1\r\n*-1\r\n*1\r\n*2\r\n*2\r\n*1\r\n:1\r\n:0\r\n" +
			"$19\r\n0.10000000000000001\r\n$23\r\n1.0000000000000001e+300\r\n$4\r\n-inf\r\n$2\r\nhi\r\n",
		3: "+OK\r\n-ERR a  b\r\n:-7\r\n$3\r\nx\r\n\r\n$2\r\n12\r\n_\r\n_\r\n*1\r\n%1\r\n~2\r\n>1\r\n#t\r\n#f\r\n" +
			",0.10000000000000001\r\n,1.0000000000000001e+300\r\n,-inf\r\n=6\r\ntxt:hi\r\n",
	} {
		var w Writer
		w.Reset(nil, version)
		write(&w)
		if got := string(w.Bytes()); got != want {
			t.Errorf("version %d:\n got %q\nwant %q", version, got, want)
		}
	}
}

var zero = 0.0

// FuzzReader: a request means the same whole and in pieces, and nothing that it says makes
// the Reader hold more than has come.
func FuzzReader(f *testing.F) {
	for _, s := range []string{"*1\r\n$4\r\nPING\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n", "*0\r\nget 'a'\n", "*-1\r\n",
		"*1048576\r\n$1\r\na\r\n", "*2\r\n$16384\r\n", "a \"\\x4", "*1\r\n$4\r\nPING", "\r\n", "*1\r\n*1\r\n"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		if len(b) > 4096 {
			return
		}
		if whole, pieces := all(b, 0), all(b, int(step%16)+1); whole != pieces {
			t.Errorf("%q\nwhole:     %s\nin pieces: %s", b, whole, pieces)
		}
		var r Reader
		r.Limit(MaxArgs, MaxBulk)
		if _, n, _ := r.Next(b); n > len(b) || cap(r.spans) > 2*len(b)+8 {
			t.Errorf("took %d of %d bytes, room for %d arguments", n, len(b), cap(r.spans))
		}
	})
}
