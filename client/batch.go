package client

import (
	"context"
	"time"

	"shredder/pktproc/wire"
)

// Batch is several operations in one datagram, at most 64, executed in order
// and answered together. Its methods add operations and return where each
// one's answer will be; Client.Do sends it. A batch belongs to one goroutine
// and is sent once.
type Batch struct {
	buf     [wire.MaxDatagram]byte
	w       wire.Writer
	answers []*Answer
	flags   uint8
	err     error
	sent    bool
}

// Answer is what became of one operation of a batch, once Do has returned.
type Answer struct {
	Err     error  // the operation's own, as the method of Client would return it
	Version uint64 // of the entry, where the operation has one
	Bytes   []byte // a Get's value
	Int     int64  // an Incr's sum
	Value   Value  // a Call's result
	Receipt *Receipt
	Left    time.Duration // a TTL's answer, −1: lives until deleted

	key  StoreKey
	code wire.Opcode
}

// NewBatch makes an empty batch.
func NewBatch() *Batch {
	b := &Batch{}
	b.w = wire.NewWriter(b.buf[:0])
	return b
}

// Atomic makes the batch all or nothing: on one failure the others are
// ErrAborted and nothing has changed. Not for TRY, FN, LOGS and the like.
func (b *Batch) Atomic() *Batch {
	b.flags |= wire.FlagAtomic
	return b
}

// Receipts asks for a receipt in every answer.
func (b *Batch) Receipts() *Batch {
	b.flags |= wire.FlagReceipt
	return b
}

// Len is the number of operations added.
func (b *Batch) Len() int { return len(b.answers) }

// Room is the number of bytes left for words, key and value of one more
// operation.
func (b *Batch) Room() int { return b.w.Room() }

// add notes an operation that was written into b.w.
func (b *Batch) add(code wire.Opcode, key StoreKey, err error) *Answer {
	b.w.End()
	if err == nil && b.w.Overflow() {
		err = &Error{Status: wire.StatusTooLarge, Reason: "the batch does not fit a datagram"}
	}
	if b.err == nil {
		b.err = err
	}
	answer := &Answer{key: key, code: code, Err: ErrUnsent}
	b.answers = append(b.answers, answer)
	return answer
}

// Get adds a read. A value that does not fit the batch's reply is read once more
// afterwards.
func (b *Batch) Get(key StoreKey) *Answer {
	b.w.Begin(wire.OpGet, 0, 0)
	key.put(&b.w)
	return b.add(wire.OpGet, key, key.valid())
}

// Set adds a write; value must fit the datagram.
func (b *Batch) Set(key StoreKey, value []byte, options ...Option) *Answer {
	words := wordsOf(options)
	words.begin(&b.w, 0)
	key.put(&b.w)
	b.w.Value(value)
	return b.add(wire.OpSet, key, key.valid())
}

// Delete adds a deletion.
func (b *Batch) Delete(key StoreKey, options ...Option) *Answer {
	words := wordsOf(options)
	flags := words.flags & wire.OpFlagIfVersion
	b.w.Begin(wire.OpDelete, flags, 0)
	if flags != 0 {
		b.w.Word(words.version)
	}
	key.put(&b.w)
	return b.add(wire.OpDelete, key, key.valid())
}

// Incr adds an addition.
func (b *Batch) Incr(key StoreKey, delta int64) *Answer {
	b.w.Begin(wire.OpIncr, 0, 0)
	b.w.Word(uint64(delta))
	key.put(&b.w)
	return b.add(wire.OpIncr, key, key.valid())
}

// CompareAndSwap adds a swap of values.
func (b *Batch) CompareAndSwap(key StoreKey, old, replacement []byte) *Answer {
	putSwap(&b.w, &key, old, replacement)
	return b.add(wire.OpCAS, key, key.valid())
}

// TTL adds a question for an entry's remaining life.
func (b *Batch) TTL(key StoreKey) *Answer {
	b.w.Begin(wire.OpTTL, 0, 0)
	key.put(&b.w)
	return b.add(wire.OpTTL, key, key.valid())
}

// Call adds a call.
func (b *Batch) Call(fn string, args ...any) *Answer {
	encoded, err := appendArgs(nil, args)
	if err == nil {
		err = putCall(&b.w, wire.OpCall, fn, encoded)
	}
	return b.add(wire.OpCall, StoreKey{}, err)
}

// ErrUnsent is the Err of an answer whose batch was not sent.
var ErrUnsent error = &Error{Status: wire.StatusAborted, Reason: "the batch was not sent"}

// Do sends b and fills its answers. It returns an error if b as a whole was
// refused or lost, else nil, whatever the answers are.
func (c *Client) Do(ctx context.Context, b *Batch) error {
	if b.err != nil {
		return b.err
	}
	if b.sent {
		return &Error{Status: wire.StatusBadArgument, Reason: "a batch is sent once"}
	}
	b.sent = true
	if len(b.answers) == 0 {
		return nil
	}
	r := c.newRequest()
	defer c.free(r)
	r.w = b.w
	if err := r.seal(b.flags); err != nil {
		return err
	}
	ops, err := c.do(ctx, r)
	if err != nil {
		for _, answer := range b.answers {
			answer.Err = err
		}
		return err
	}
	for i, answer := range b.answers {
		op, rest, _ := wire.FirstOp(ops) // do has compared the counts
		ops = rest
		if op.Code() != answer.code {
			answer.Err = ErrBadReply
			continue
		}
		c.fill(ctx, answer, r, i, op)
	}
	return nil
}

// fill reads one operation's reply.
func (c *Client) fill(ctx context.Context, a *Answer, r *request, index int, op wire.Op) {
	if receipt, ok := op.Receipt(); ok {
		a.Receipt = &receipt
	}
	if a.Err = opError(op); a.Err != nil {
		if a.code == wire.OpGet && op.Status() == wire.StatusTooLarge {
			a.Bytes, a.Version, a.Err = c.GetAppend(ctx, a.key, nil)
		}
		return
	}
	if a.code == wire.OpCall {
		var result Result
		result, a.Err = c.resultOf(ctx, r, index, op)
		a.Value = result.Value
		return
	}
	a.Version = op.Word(0)
	switch a.code {
	case wire.OpGet:
		if op.Flags()&wire.OpFlagPartial != 0 {
			a.Bytes, a.Version, a.Err = c.pullValue(ctx, a.key, op, nil)
			return
		}
		a.Bytes = append([]byte{}, op.Value()...)
	case wire.OpIncr:
		a.Int = int64(op.Word(1))
	case wire.OpTTL:
		a.Left = -1
		if ms := int64(op.Word(1)); ms >= 0 {
			a.Left = time.Duration(ms) * time.Millisecond
		}
	}
}
