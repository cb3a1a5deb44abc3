package vectors

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"shredder/pktproc/wire"
)

// Build encodes the datagram that lines describe, with wire.Writer.
func Build(lines []string) ([]byte, error) {
	w := wire.NewWriter(make([]byte, wire.MaxDatagram))
	var h wire.HeaderFields
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		var err error
		switch word {
		case "header":
			h, err = buildHeader(rest)
		case "op":
			err = buildOp(&w, rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	if w.Overflow() {
		return nil, fmt.Errorf("does not fit a datagram")
	}
	return w.Finish(h), nil
}

// fieldsOf reads "name=value name=value …".
func fieldsOf(s string) map[string]string {
	fields := map[string]string{}
	for _, field := range strings.Fields(s) {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	return fields
}

// numbers reads integers out of fields, keeping the first error.
type numbers struct {
	fields map[string]string
	err    error
}

func (n *numbers) get(name string, bits int) uint64 {
	v, err := strconv.ParseUint(n.fields[name], 0, bits)
	if err != nil && n.err == nil {
		n.err = err
	}
	return v
}

func buildHeader(s string) (h wire.HeaderFields, err error) {
	n := numbers{fields: fieldsOf(s)}
	h.Session, h.Secret = uint32(n.get("session", 32)), n.get("secret", 64)
	h.Seq, h.First = uint32(n.get("seq", 32)), uint32(n.get("first", 32))
	h.Port, h.DeadlineMillis = uint16(n.get("port", 16)), uint32(n.get("deadline", 32))
	if n.err != nil {
		return h, n.err
	}
	if h.Flags, err = flagsOf(n.fields["flags"], datagramFlags); err != nil {
		return h, err
	}
	h.Status, err = statusOf(n.fields["status"])
	return h, err
}

func buildOp(w *wire.Writer, s string) error {
	name, rest, _ := strings.Cut(s, " ")
	fields := fieldsOf(rest)
	code, err := opcodeOf(name)
	if err != nil {
		return err
	}
	flags, err := flagsOf(fields["flags"], opFlags)
	if err != nil {
		return err
	}
	status, err := statusOf(fields["status"])
	if err != nil {
		return err
	}
	w.Begin(code, flags, status)
	words, err := integers(fields["words"])
	if err != nil {
		return err
	}
	for _, v := range words {
		w.Word(v)
	}
	receipt, err := integers(fields["receipt"])
	if err != nil {
		return err
	}
	if len(receipt) == wire.ReceiptWords {
		w.Receipt(wire.Receipt{Fuel: receipt[0], Lookups: receipt[1], BytesRead: receipt[2], BytesReturned: receipt[3], Tier: receipt[4]})
	}
	if digits, ok := strings.CutPrefix(fields["key"], "int:"); ok {
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return err
		}
		w.IntKey(n)
	} else {
		key, err := Bytes(fields["key"])
		if err != nil {
			return err
		}
		w.Key(key)
	}
	value, err := Bytes(fields["value"])
	if err != nil {
		return err
	}
	w.Value(value)
	w.End()
	return nil
}

func integers(list string) ([]uint64, error) {
	var out []uint64
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		v, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Bytes reads text:…, zeros:n, hex:… or nothing.
func Bytes(s string) ([]byte, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "":
		return nil, nil
	case "text":
		return []byte(rest), nil
	case "zeros":
		n, err := strconv.ParseUint(rest, 10, 16)
		return make([]byte, n), err
	case "hex":
		return hex.DecodeString(rest)
	}
	return nil, fmt.Errorf("%q is no bytes", s)
}

func flagsOf(s string, names []flagName) (uint8, error) {
	var flags uint8
	if s == "none" {
		return 0, nil
	}
	for _, word := range strings.Split(s, "|") {
		bit := uint8(0)
		for _, f := range names {
			if f.name == word {
				bit = f.bit
			}
		}
		if bit == 0 {
			n, err := strconv.ParseUint(word, 0, 8)
			if err != nil {
				return 0, fmt.Errorf("no flag %q", word)
			}
			bit = uint8(n)
		}
		flags |= bit
	}
	return flags, nil
}

func statusOf(name string) (wire.Status, error) {
	for st := range wire.Statuses {
		if wire.Status(st).String() == name {
			return wire.Status(st), nil
		}
	}
	return 0, fmt.Errorf("no status %q", name)
}

func opcodeOf(name string) (wire.Opcode, error) {
	for code := range wire.Opcodes {
		if wire.Opcode(code).String() == name {
			return wire.Opcode(code), nil
		}
	}
	var n uint8
	if _, err := fmt.Sscanf(name, "OPCODE_%d", &n); err != nil {
		return 0, fmt.Errorf("no opcode %q", name)
	}
	return wire.Opcode(n), nil
}
