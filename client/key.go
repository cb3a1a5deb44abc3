package client

import (
	"strconv"

	"shredder/pktproc/wire"
)

// StoreKey names an entry: an integer in [0, 2^53) or 1 to 1024 bytes. Bytes
// that spell such an integer in decimal, as Int(7) and Key("7") do, are the
// same key. Keys are comparable.
type StoreKey struct {
	n    uint64
	text string
	form keyForm
}

type keyForm uint8

const (
	formInt keyForm = iota
	formText
)

const maxIntKey = 1<<53 - 1

// Int is an integer key, at most 2^53 − 1; a larger one is the byte key of its
// decimal digits.
func Int(n uint64) StoreKey {
	if n > maxIntKey {
		return StoreKey{text: strconv.FormatUint(n, 10), form: formText}
	}
	return StoreKey{n: n}
}

// Key is the key spelled by a string or by bytes, which are copied.
func Key[T string | []byte](key T) StoreKey {
	if n, ok := decimal(key); ok {
		return StoreKey{n: n}
	}
	return StoreKey{text: string(key), form: formText}
}

// decimal returns the integer below 2^53 whose canonical decimal form s is.
func decimal[T string | []byte](s T) (uint64, bool) {
	if len(s) == 0 || len(s) > 16 || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	n := uint64(0)
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, n <= maxIntKey
}

// Integer returns the key's integer, if it is one.
func (k StoreKey) Integer() (n uint64, ok bool) { return k.n, k.form == formInt }

// String spells the key.
func (k StoreKey) String() string {
	if k.form == formInt {
		return strconv.FormatUint(k.n, 10)
	}
	return k.text
}

// size is the key's length on the wire.
func (k *StoreKey) size() int {
	if k.form == formInt {
		return 8
	}
	return len(k.text)
}

func (k *StoreKey) valid() error {
	if n := k.size(); n == 0 || n > wire.MaxKeyLen {
		return &Error{Status: wire.StatusTooLarge, Reason: "a key has 1 to 1024 bytes"}
	}
	return nil
}

// put writes the key into the open operation of w.
func (k *StoreKey) put(w *wire.Writer) {
	if k.form == formInt {
		w.IntKey(k.n)
		return
	}
	room := w.ValueRoom()
	if len(k.text) > len(room) {
		w.Key(make([]byte, len(k.text))) // overflows w
		return
	}
	// Copied in place first, so that the string need not become a slice.
	w.Key(room[:copy(room, k.text)])
}

// appendItem appends the key as an item of MULTI-GET.
func (k *StoreKey) appendItem(dst []byte) []byte {
	if k.form == formInt {
		return wire.AppendIntItem(dst, k.n, false, nil)
	}
	return wire.AppendBytesItem(dst, []byte(k.text), false, nil)
}

// keyOf copies the key of an item.
func keyOf(it wire.Item) StoreKey {
	if it.Bytes == nil {
		return StoreKey{n: it.Int}
	}
	return StoreKey{text: string(it.Bytes), form: formText}
}
