package wasm

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"

	"shredder/jit"
	"shredder/jit/compile"

	"shredder/jit/syntax"
)

// jsonWriter writes the result of a call as JSON.stringify does, and burns for
// it what tier 0's writer burns. Emitted code gives it one value at a time.
type jsonWriter struct {
	out     []byte
	charged int
	key     []byte
	hasKey  bool
	open    []byte // { or [ of each level
	first   []bool
	// unlimited: the text is for JSON.stringify, which scratch alone bounds.
	unlimited bool
}

// begin starts a value: separator and key, then one unit and the text since the
// last charge.
func (i *Instance) jsonBegin(left int64) int64 {
	w := &i.json
	if n := len(w.open); n > 0 {
		if !w.first[n-1] {
			w.out = append(w.out, ',')
		}
		w.first[n-1] = false
		if w.hasKey {
			w.out = append(w.out, '"')
			w.out = append(w.out, w.key...)
			w.out = append(w.out, '"', ':')
			w.hasKey = false
		}
	}
	return i.jsonCharge(left)
}

func (i *Instance) jsonCharge(left int64) int64 {
	w := &i.json
	if left = i.meter.spent(left - 1); left < 0 {
		return left
	}
	if n := len(w.out) - w.charged; n >= syntax.BytesPerFuel {
		if left = i.meter.work(left, int64(n)); left < 0 {
			return left
		}
		w.charged = len(w.out)
	}
	if len(w.out) > i.resultSize && !w.unlimited {
		i.stop(jit.TooLarge, "the JSON text is larger than its limit")
		return -1
	}
	return left
}

func hostJSONOpen(i *Instance, s []uint64) {
	w := &i.json
	if len(w.open) == 0 {
		w.out, w.charged = w.out[:0], 0
	}
	left := i.jsonBegin(int64(s[0]))
	if keys := int64(uint32(s[2])) * 16; left >= 0 && keys >= syntax.BytesPerFuel {
		left = i.meter.work(left, keys)
	}
	w.open = append(w.open, byte(s[1]))
	w.first = append(w.first, true)
	w.out = append(w.out, byte(s[1]))
	s[0] = uint64(left)
}

func hostJSONClose(i *Instance, _ []uint64) {
	w := &i.json
	n := len(w.open) - 1
	w.out = append(w.out, w.open[n]+2) // { and }, [ and ] are two apart
	w.open, w.first = w.open[:n], w.first[:n]
}

func hostJSONKey(i *Instance, s []uint64) {
	i.json.key = appendQuoted(i.json.key[:0], i.textAt(s[1], s[2]))
	i.json.hasKey = true
}

// appendQuoted escapes text for JSON, without the quotes; lone surrogates
// become escapes.
func appendQuoted(out []byte, t text) []byte {
	for i, n := 0, t.len(); i < n; i++ {
		c, size := t.point(i)
		i += size - 1
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', byte(c))
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '\b':
			out = append(out, `\b`...)
		case c == '\f':
			out = append(out, `\f`...)
		case c < ' ':
			const hex = "0123456789abcdef"
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case utf16.IsSurrogate(c):
			out = strconv.AppendInt(append(out, `\u`...), int64(c), 16)
		default:
			out = utf8.AppendRune(out, c)
		}
	}
	return out
}

func hostJSONInt(i *Instance, s []uint64) {
	s[0] = uint64(i.jsonBegin(int64(s[0])))
	i.json.out = strconv.AppendInt(i.json.out, int64(s[1]), 10)
}

// hostJSONNumber takes a double or the NaN that stands for nil or a boolean.
func hostJSONNumber(i *Instance, s []uint64) {
	code, isCode := s[1]&7, s[1]&^7 == compile.SentinelBits
	if isCode && code == compile.CodeUndefined && i.jsonDrop(s) {
		return
	}
	s[0] = uint64(i.jsonBegin(int64(s[0])))
	f := api.DecodeF64(s[1])
	w := &i.json
	switch {
	case isCode && code <= compile.CodeTrue:
		w.out = strconv.AppendBool(w.out, code == compile.CodeTrue)
	case isCode, math.IsNaN(f), math.IsInf(f, 0):
		w.out = append(w.out, "null"...)
	default:
		w.out = appendNumber(w.out, f)
	}
}

// jsonDrop leaves a member out whose value is undefined: it is charged with its
// key and then taken back.
func (i *Instance) jsonDrop(s []uint64) bool {
	w := &i.json
	if n := len(w.open); n == 0 || w.open[n-1] != '{' {
		return false
	}
	mark, first := len(w.out), w.first[len(w.first)-1]
	s[0] = uint64(i.jsonBegin(int64(s[0])))
	w.out = w.out[:mark]
	w.charged = min(w.charged, mark)
	w.first[len(w.first)-1] = first
	return true
}

// hostJSONText takes text, address 0 for undefined or 1 for null.
func hostJSONText(i *Instance, s []uint64) {
	address := uint32(s[1])
	if address == 0 && i.jsonDrop(s) {
		return
	}
	left := i.jsonBegin(int64(s[0]))
	w := &i.json
	if address <= 1 {
		w.out = append(w.out, "null"...)
		s[0] = uint64(left)
		return
	}
	t := i.textAt(s[1], s[2])
	if n := len(i.utf8Of(t)); left >= 0 && n >= syntax.BytesPerFuel {
		left = i.meter.work(left, int64(n))
	}
	w.out = append(appendQuoted(append(w.out, '"'), t), '"')
	s[0] = uint64(left)
}

func hostTenant(i *Instance, s []uint64) {
	i.builder.reset()
	i.builder.utf8([]byte(i.tenant))
	s[0] = i.built()
}

// hostJSONValue writes a value that lies in memory as its shape says.
func hostJSONValue(i *Instance, s []uint64) {
	w := &i.json
	if len(w.open) == 0 {
		w.out, w.charged = w.out[:0], 0
	}
	s[0] = uint64(i.jsonShape(int64(s[0]), int(uint32(s[1])), s[2]))
}

// jsonDepth bounds objects in objects; deeper ones may hold themselves.
const jsonDepth = 64

func (i *Instance) jsonShape(left int64, shape int, bits uint64) int64 {
	d := &i.shapes[shape]
	stack := [3]uint64{uint64(left), bits, bits >> 32}
	switch d.Kind {
	case compile.ShapeNumber:
		hostJSONNumber(i, stack[:])
		return int64(stack[0])
	case compile.ShapeText:
		hostJSONText(i, stack[:])
		return int64(stack[0])
	}
	if address := uint32(bits); address <= 1 {
		stack[1] = compile.SentinelBits | compile.CodeUndefined + uint64(address)
		hostJSONNumber(i, stack[:])
		return int64(stack[0])
	}
	if d.Kind == compile.ShapeNode {
		return i.jsonNode(left, bits&(1<<32-1))
	}
	w := &i.json
	if len(w.open) >= jsonDepth {
		i.meter.end(jit.Deopt)
		return -1
	}
	stack[1] = '{'
	if d.Kind == compile.ShapeList {
		stack[1] = '['
	}
	stack[2] = uint64(len(d.Names))
	hostJSONOpen(i, stack[:])
	left = int64(stack[0])
	switch d.Kind {
	case compile.ShapeList:
		left = i.jsonElements(left, d.Elem, bits)
	case compile.ShapeRecord:
		fields := i.bytes(bits, uint64(len(d.Fields))*8)
		for n, f := range d.Fields {
			if left < 0 || fields == nil {
				break
			}
			w.key, w.hasKey = append(w.key[:0], d.Names[n]...), true
			left = i.jsonShape(left, f, binary.LittleEndian.Uint64(fields[n*8:]))
		}
	}
	hostJSONClose(i, nil)
	return left
}

func (i *Instance) jsonElements(left int64, elem int, list uint64) int64 {
	h := i.bytes(list, 12)
	if h == nil {
		return left
	}
	n := binary.LittleEndian.Uint32(h)
	data := i.bytes(uint64(binary.LittleEndian.Uint32(h[8:])), uint64(n)*8)
	for at := 0; at < len(data) && left >= 0; at += 8 {
		left = i.jsonShape(left, elem, binary.LittleEndian.Uint64(data[at:]))
	}
	return left
}
