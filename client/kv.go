package client

import (
	"context"
	"time"

	"shredder/pktproc/wire"
)

// Option changes what Set and Delete do.
type Option struct {
	kind  optionKind
	value uint64
}

type optionKind uint8

const (
	optTTL optionKind = iota + 1
	optIfVersion
)

// TTL makes the entry expire after d, at least a millisecond.
func TTL(d time.Duration) Option { return Option{optTTL, millis(d)} }

// IfVersion makes the change only if the entry has version v, and fails with
// *ConflictError otherwise.
func IfVersion(v uint64) Option { return Option{optIfVersion, v} }

// IfAbsent makes the change only if there is no entry.
func IfAbsent() Option { return Option{optIfVersion, 0} }

func millis(d time.Duration) uint64 { return uint64(max(d.Milliseconds(), 1)) }

// setWords are the words and flags that options stand for.
type setWords struct {
	flags        uint8
	ttl, version uint64
}

func wordsOf(options []Option) (s setWords) {
	for _, o := range options {
		switch o.kind {
		case optTTL:
			s.flags |= wire.OpFlagTTL
			s.ttl = o.value
		case optIfVersion:
			s.flags |= wire.OpFlagIfVersion
			s.version = o.value
		}
	}
	return s
}

// beginSet opens a SET with its words; push is the push's id if the flags have
// OpFlagPushed.
func (s *setWords) begin(w *wire.Writer, push uint64) {
	w.Begin(wire.OpSet, s.flags, 0)
	if s.flags != 0 {
		w.Word(s.ttl)
	}
	if s.flags&(wire.OpFlagIfVersion|wire.OpFlagPushed) != 0 {
		w.Word(s.version)
	}
	if s.flags&wire.OpFlagPushed != 0 {
		w.Word(push)
	}
}

// Entry is a value with its version.
type Entry struct {
	Value   []byte
	Version uint64
}

// Get returns key's value, or ErrNotFound.
func (c *Client) Get(ctx context.Context, key StoreKey) (Entry, error) {
	value, version, err := c.GetAppend(ctx, key, nil)
	return Entry{value, version}, err
}

// GetAppend is Get that appends the value to dst, and allocates nothing if dst
// has room for a value that fits a datagram.
func (c *Client) GetAppend(ctx context.Context, key StoreKey, dst []byte) (value []byte, version uint64, err error) {
	if err := key.valid(); err != nil {
		return dst, 0, err
	}
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpGet, 0, 0)
	key.put(&r.w)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return dst, 0, err
	}
	if op.Flags()&wire.OpFlagPartial != 0 {
		return c.pullValue(ctx, key, op, dst)
	}
	if dst == nil {
		dst = make([]byte, 0, len(op.Value()))
	}
	return append(dst, op.Value()...), op.Word(0), nil
}

// Set stores value under key and returns the entry's new version. A value that
// does not fit a datagram is pushed first.
func (c *Client) Set(ctx context.Context, key StoreKey, value []byte, options ...Option) (version uint64, err error) {
	if err := key.valid(); err != nil {
		return 0, err
	}
	words := wordsOf(options)
	if len(value) > inlineRoom(3, key.size()) {
		return c.setPushed(ctx, key, value, words)
	}
	r := c.newRequest()
	defer c.free(r)
	words.begin(&r.w, 0)
	key.put(&r.w)
	r.w.Value(value)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return 0, err
	}
	return op.Word(0), nil
}

// inlineRoom is how large a value may be in a datagram of one operation.
func inlineRoom(words, keyLen int) int {
	return wire.MaxDatagram&^7 - wire.HeaderSize - wire.OpHeaderSize - 8*words - keyLen
}

// Delete removes key and returns the version it had, or ErrNotFound. Of the
// options it knows IfVersion.
func (c *Client) Delete(ctx context.Context, key StoreKey, options ...Option) (version uint64, err error) {
	words := wordsOf(options)
	flags := words.flags & wire.OpFlagIfVersion
	return c.keyed(ctx, wire.OpDelete, flags, key, words.version, flags != 0)
}

// keyed is a request of one operation with a key and at most one word, whose
// reply's first word is a version.
func (c *Client) keyed(ctx context.Context, code wire.Opcode, flags uint8, key StoreKey, word uint64, hasWord bool) (uint64, error) {
	version, _, err := c.keyedWords(ctx, code, flags, key, word, hasWord)
	return version, err
}

func (c *Client) keyedWords(ctx context.Context, code wire.Opcode, flags uint8, key StoreKey, word uint64, hasWord bool) (w0, w1 uint64, err error) {
	if err := key.valid(); err != nil {
		return 0, 0, err
	}
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(code, flags, 0)
	if hasWord {
		r.w.Word(word)
	}
	key.put(&r.w)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return 0, 0, err
	}
	return op.Word(0), op.Word(1), nil
}

// Incr adds delta to the decimal integer under key (0 if there is none) and
// returns the sum. It keeps the entry's expiry.
func (c *Client) Incr(ctx context.Context, key StoreKey, delta int64) (int64, error) {
	_, sum, err := c.keyedWords(ctx, wire.OpIncr, 0, key, uint64(delta), true)
	return int64(sum), err
}

// CompareAndSwap replaces the value old under key by replacement and returns
// the new version; ErrNotFound or *ConflictError if it is not old. Both values
// must fit a datagram together.
func (c *Client) CompareAndSwap(ctx context.Context, key StoreKey, old, replacement []byte) (version uint64, err error) {
	if err := key.valid(); err != nil {
		return 0, err
	}
	r := c.newRequest()
	defer c.free(r)
	putSwap(&r.w, &key, old, replacement)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return 0, err
	}
	return op.Word(0), nil
}

func putSwap(w *wire.Writer, key *StoreKey, old, replacement []byte) {
	w.Begin(wire.OpCAS, 0, 0)
	w.Word(uint64(len(old)))
	key.put(w)
	w.Value(old)
	w.Value(replacement)
}

// TTL returns how long the entry under key still lives; expires is false if it
// lives until deleted.
func (c *Client) TTL(ctx context.Context, key StoreKey) (left time.Duration, expires bool, err error) {
	_, ms, err := c.keyedWords(ctx, wire.OpTTL, 0, key, 0, false)
	if err != nil || int64(ms) < 0 {
		return 0, false, err
	}
	return time.Duration(ms) * time.Millisecond, true, nil
}

// Expire makes the entry under key expire after d, at least a millisecond.
func (c *Client) Expire(ctx context.Context, key StoreKey, d time.Duration) error {
	_, err := c.keyed(ctx, wire.OpTTL, wire.OpFlagTTL, key, millis(d), true)
	return err
}

// Persist makes the entry under key live until it is deleted.
func (c *Client) Persist(ctx context.Context, key StoreKey) error {
	_, err := c.keyed(ctx, wire.OpTTL, wire.OpFlagTTL, key, 0, true)
	return err
}

// Ping returns how long a round trip takes, retries included.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpPing, 0, 0)
	began := time.Now()
	_, err := c.one(ctx, r, 0)
	return time.Since(began), err
}
