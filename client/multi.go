package client

import (
	"context"
	"iter"

	"shredder/pktproc/wire"
)

// Found is one answer of MultiGet.
type Found struct {
	Entry
	Err error // nil, ErrNotFound, or what went wrong with this key
}

// MultiGet returns the entries of keys, in their order. Keys that share a
// datagram (some 50 integers or short names) are read at one moment, but not a
// value that is too large for the reply and is pulled afterwards.
func (c *Client) MultiGet(ctx context.Context, keys ...StoreKey) ([]Found, error) {
	found := make([]Found, 0, len(keys))
	for len(found) < len(keys) {
		var err error
		if found, err = c.multiGet(ctx, keys, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// multiGet asks for as many of keys[len(found):] as fit a datagram.
func (c *Client) multiGet(ctx context.Context, keys []StoreKey, found []Found) ([]Found, error) {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpMultiGet, 0, 0)
	r.w.Word(0)
	var items []byte
	asked := keys[len(found):]
	for i := range asked {
		if err := asked[i].valid(); err != nil {
			return nil, err
		}
		if i == multiGetMax || len(items)+wire.ItemSize(asked[i].size(), 0) > r.w.Room() {
			asked = asked[:i]
			break
		}
		items = asked[i].appendItem(items)
	}
	r.w.SetWord(0, uint64(len(asked)))
	r.w.Value(items)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return nil, err
	}
	rest := op.Value()
	for _, key := range asked {
		var f wire.Found
		var st wire.Status
		if f, rest, st = wire.FirstFound(rest); st != wire.StatusOK {
			return nil, ErrBadReply
		}
		found = append(found, c.foundOf(ctx, key, f))
	}
	return found, nil
}

// multiGetMax: an answer takes at least 16 bytes, and all answers a datagram.
const multiGetMax = (wire.MaxDatagram - wire.HeaderSize - wire.OpHeaderSize - 8*(1+wire.ReceiptWords)) / wire.FoundHeaderSize

func (c *Client) foundOf(ctx context.Context, key StoreKey, f wire.Found) Found {
	if f.Status != wire.StatusOK {
		return Found{Err: errorOf(f.Status)}
	}
	if f.Partial {
		entry, err := c.Get(ctx, key)
		return Found{entry, err}
	}
	return Found{Entry: Entry{append([]byte{}, f.Value...), f.Version}}
}

// Scan walks all keys in no order. A key that is there throughout comes at
// least once; one that is added or removed meanwhile may come or not, and when
// the table grows a key may come twice. An error ends the walk.
func (c *Client) Scan(ctx context.Context) iter.Seq2[StoreKey, error] {
	return func(yield func(StoreKey, error) bool) {
		for cursor := uint64(0); ; {
			keys, next, err := c.ScanPage(ctx, cursor, wire.MaxScanLimit)
			if err != nil {
				yield(StoreKey{}, err)
				return
			}
			for _, key := range keys {
				if !yield(key, nil) {
					return
				}
			}
			if cursor = next; cursor == 0 {
				return
			}
		}
	}
}

// ScanPage returns at most limit keys (and no more than fit a reply) from
// cursor on, 0 being the beginning, and the cursor to go on with, 0 at the end.
func (c *Client) ScanPage(ctx context.Context, cursor uint64, limit int) (keys []StoreKey, next uint64, err error) {
	if limit < 1 {
		return nil, 0, &Error{Status: wire.StatusBadArgument, Reason: "the limit is below 1"}
	}
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpScan, 0, 0)
	r.w.Word(cursor)
	r.w.Word(uint64(min(limit, wire.MaxScanLimit)))
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return nil, 0, err
	}
	rest := op.Value()
	for range op.Word(1) {
		var it wire.Item
		var st wire.Status
		if it, rest, st = wire.FirstItem(rest); st != wire.StatusOK {
			return nil, 0, ErrBadReply
		}
		keys = append(keys, keyOf(it))
	}
	return keys, op.Word(0), nil
}
