package client

import (
	"bytes"
	"errors"
	"strconv"

	"shredder/pktproc/wire"
)

// StoreKey names an entry: an integer in [0, 2^53) or 1 to 1024 bytes. Bytes
// that spell such an integer in decimal, as Int(7) and Key("7") do, are the
// same key.
type StoreKey struct {
	n     uint64
	text  string
	bytes []byte
	form  keyForm
}

type keyForm uint8

const (
	formInt keyForm = iota
	formText
	formBytes
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

// Key is the key spelled by a string or by bytes, which are borrowed until the
// request that names it returns.
func Key[T string | []byte](key T) StoreKey {
	switch k := any(key).(type) {
	case string:
		if n, ok := decimal(k); ok {
			return StoreKey{n: n}
		}
		return StoreKey{text: k, form: formText}
	case []byte:
		if n, ok := decimal(k); ok {
			return StoreKey{n: n}
		}
		return StoreKey{bytes: k, form: formBytes}
	}
	panic("unreachable")
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
	switch k.form {
	case formInt:
		return strconv.FormatUint(k.n, 10)
	case formText:
		return k.text
	}
	return string(k.bytes)
}

// Bytes spells the key; they are a copy.
func (k StoreKey) Bytes() []byte {
	if k.form == formBytes {
		return bytes.Clone(k.bytes)
	}
	return []byte(k.String())
}

var errKeyLen = errors.New("a key has 1 to 1024 bytes")

// size is the key's length on the wire.
func (k *StoreKey) size() int {
	switch k.form {
	case formText:
		return len(k.text)
	case formBytes:
		return len(k.bytes)
	}
	return 8
}

func (k *StoreKey) valid() error {
	if n := k.size(); n == 0 || n > wire.MaxKeyLen {
		return &Error{Status: wire.StatusTooLarge, Reason: errKeyLen.Error()}
	}
	return nil
}

// put writes the key into the open operation of w.
func (k *StoreKey) put(w *wire.Writer) {
	switch k.form {
	case formInt:
		w.IntKey(k.n)
	case formText:
		room := w.ValueRoom()
		if len(k.text) > len(room) {
			w.Key(make([]byte, len(k.text))) // overflows w
			return
		}
		// Copied in place first, so that a string need not become a slice.
		w.Key(room[:copy(room, k.text)])
	case formBytes:
		w.Key(k.bytes)
	}
}

// appendItem appends the key as an item of MULTI-GET.
func (k *StoreKey) appendItem(dst []byte) []byte {
	switch k.form {
	case formInt:
		return wire.AppendIntItem(dst, k.n, false, nil)
	case formText:
		return wire.AppendBytesItem(dst, []byte(k.text), false, nil)
	}
	return wire.AppendBytesItem(dst, k.bytes, false, nil)
}

// keyOf copies the key of an item.
func keyOf(it wire.Item) StoreKey {
	if it.Bytes == nil {
		return StoreKey{n: it.Int}
	}
	return StoreKey{bytes: bytes.Clone(it.Bytes), form: formBytes}
}
