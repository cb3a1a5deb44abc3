package proto

import (
	"bytes"
	"errors"
)

// Limits of a request. Those before AUTH are Redis' (CVE-2021-32675): who has shown no
// token makes the server hold little.
const (
	MaxArgs = 1 << 20
	MaxBulk = 16<<20 + 1<<10 // a value of ours and some slack; Redis: 512 MiB

	UnauthenticatedArgs = 10
	UnauthenticatedBulk = 16 << 10

	// maxLine is the longest inline request and the longest count, Redis' PROTO_INLINE_MAX_SIZE.
	maxLine = 64 << 10
)

// Errors of a request, in Redis' words. The connection is closed after the reply.
var (
	ErrInlineTooBig   = errors.New("ERR Protocol error: too big inline request")
	ErrQuotes         = errors.New("ERR Protocol error: unbalanced quotes in request")
	ErrCountTooBig    = errors.New("ERR Protocol error: too big mbulk count string")
	ErrArgs           = errors.New("ERR Protocol error: invalid multibulk length")
	ErrArgsBeforeAuth = errors.New("ERR Protocol error: unauthenticated multibulk length")
	ErrSizeTooBig     = errors.New("ERR Protocol error: too big bulk count string")
	ErrBulk           = errors.New("ERR Protocol error: invalid bulk length")
	ErrBulkBeforeAuth = errors.New("ERR Protocol error: unauthenticated bulk length")
)

// expectedBulk is what a request that has no '$' where one belongs is told.
type expectedBulk byte

func (e expectedBulk) Error() string {
	return "ERR Protocol error: expected '$', got '" + string([]byte{byte(e)}) + "'"
}

// Reader parses requests, one after the other, from a buffer that its caller fills. It
// remembers how far it came: a request that arrives in pieces is not parsed from its beginning
// again. The zero Reader has the limits before AUTH.
type Reader struct {
	maxArgs, maxBulk int

	// Of the request under way, as offsets from its first byte.
	at    int // parsed so far
	left  int // arguments to come, once the count is known
	spans []span
	want  int

	args [][]byte
	own  []byte // arguments of an inline request, unquoted
}

type span struct{ from, to int }

// Limit sets the most arguments of a request and the longest of them in bytes, for requests
// that begin from now on. Neither is set above MaxArgs and MaxBulk.
func (r *Reader) Limit(args, bulk int) {
	r.maxArgs, r.maxBulk = min(args, MaxArgs), min(bulk, MaxBulk)
}

// Want is how many bytes of the request the buffer must hold, at least, before Next can get
// on; 0: one more than it holds.
func (r *Reader) Want() int { return r.want }

// Next parses the request at b's beginning. While it is not whole it returns a nil list; the
// next call wants the same bytes and more behind them. A whole request gives its arguments,
// borrowed from b or from the Reader until its next call, and how many bytes it took; an empty one
// gives a list without any. After an error the Reader is of no more use.
func (r *Reader) Next(b []byte) (args [][]byte, n int, err error) {
	r.want = 0
	if len(b) == 0 {
		return nil, 0, nil
	}
	if b[0] != '*' {
		return r.inline(b)
	}
	if r.at == 0 {
		whole, err := r.count(b)
		if !whole || err != nil {
			return nil, 0, err
		}
	}
	for r.left > 0 {
		whole, err := r.bulk(b)
		if !whole || err != nil {
			return nil, 0, err
		}
	}
	n = r.at
	return r.take(b), n, nil
}

// keep is how much room for arguments a Reader holds on to.
const keep = 1024

// take makes the arguments of the spans in b, never nil, and forgets the request.
func (r *Reader) take(b []byte) [][]byte {
	if r.args == nil || cap(r.args) > keep {
		r.args = make([][]byte, 0, 8)
	}
	r.args = r.args[:0]
	for _, s := range r.spans {
		r.args = append(r.args, b[s.from:s.to:s.to])
	}
	r.at, r.left, r.spans = 0, 0, r.spans[:0]
	if cap(r.spans) > keep {
		r.spans = nil
	}
	return r.args
}

// number reads the line at b[r.at:], which begins with a kind byte, as an integer. whole is
// false while its end has not come.
func (r *Reader) number(b []byte, tooBig error) (n int, ok, whole bool, err error) {
	line := b[r.at:]
	end := bytes.IndexByte(line[:min(len(line), maxLine)], '\r')
	if end < 0 {
		if len(line) >= maxLine {
			return 0, false, false, tooBig
		}
		return 0, false, false, nil
	}
	if end+1 >= len(line) { // the line feed, which Redis does not look at
		return 0, false, false, nil
	}
	n, ok = parseInt(line[1:end])
	r.at += end + 2
	return n, ok, true, nil
}

func (r *Reader) count(b []byte) (whole bool, err error) {
	n, ok, whole, err := r.number(b, ErrCountTooBig)
	if !whole || err != nil {
		return false, err
	}
	maxArgs := r.maxArgs
	if maxArgs == 0 {
		maxArgs = UnauthenticatedArgs
	}
	switch {
	case !ok || n > MaxArgs:
		return false, ErrArgs
	case n > maxArgs:
		return false, ErrArgsBeforeAuth
	}
	r.left = max(n, 0)
	return true, nil
}

func (r *Reader) bulk(b []byte) (whole bool, err error) {
	if r.at >= len(b) {
		return false, nil
	}
	if b[r.at] != '$' {
		return false, expectedBulk(b[r.at])
	}
	start := r.at
	n, ok, whole, err := r.number(b, ErrSizeTooBig)
	if !whole || err != nil {
		return false, err
	}
	maxBulk := r.maxBulk
	if maxBulk == 0 {
		maxBulk = UnauthenticatedBulk
	}
	switch {
	case !ok || n < 0 || n > MaxBulk:
		return false, ErrBulk
	case n > maxBulk:
		return false, ErrBulkBeforeAuth
	}
	end := r.at + n
	if end+2 > len(b) {
		r.want, r.at = end+2, start
		return false, nil
	}
	r.spans = append(r.spans, span{r.at, end})
	r.at = end + 2
	r.left--
	return true, nil
}

// parseInt is Redis' string2ll for what fits an int: no sign but '-', no leading zeros.
func parseInt(b []byte) (int, bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	if len(digits) < len(b) {
		n = -n
	}
	return n, true
}
