package wasm

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/tetratelabs/wazero/api"

	"shredder/jit"
	"shredder/jit/compile"
)

// valueFunctions work on JSON values, whose nodes lie in scratch
// (jit/compile/dynamic.go).
var valueFunctions = map[string]hostFunction{
	"jsonParse":     {"lii", "li", hostJSONParse},
	"jsonStored":    {"lii", "li", hostJSONStored},
	"isCursor":      {"ii", "i", hostIsCursor},
	"scan":          {"liil", "li", hostScan},
	"jsonStart":     {"", "", hostJSONStart},
	"jsonTake":      {"", "l", hostJSONTake},
	"boxNumber":     {"d", "i", hostBoxNumber},
	"boxText":       {"ii", "i", hostBoxText},
	"valueGet":      {"iii", "i", hostValueGet},
	"valueAt":       {"id", "i", hostValueAt},
	"valueNumber":   {"i", "d", hostValueNumber},
	"valueText":     {"i", "l", hostValueText},
	"valueIsNumber": {"id", "i", hostValueIsNumber},
	"valueIsText":   {"iii", "i", hostValueIsText},
	"valueSame":     {"ii", "i", hostValueSame},
	"raisedText":    {"", "l", hostRaisedText},
}

// jsonValue is a JSON value: 16 bytes of memory, nil for undefined and null.
type jsonValue []byte

// node is the node at a reference; one that makes no sense reads as null.
func (i *Instance) node(ref uint64) jsonValue {
	if uint32(ref) <= 1 {
		return nil
	}
	return i.bytes(ref, compile.NodeSize)
}

func (n jsonValue) tag() uint32 {
	if n == nil {
		return 0
	}
	return binary.LittleEndian.Uint32(n[compile.NodeTag:])
}

func (n jsonValue) word() uint32 { return binary.LittleEndian.Uint32(n[compile.NodeWord:]) }
func (n jsonValue) data() uint64 { return binary.LittleEndian.Uint64(n[compile.NodeData:]) }
func (n jsonValue) address() uint64 {
	return uint64(binary.LittleEndian.Uint32(n[compile.NodeData:]))
}
func (n jsonValue) float() float64 { return math.Float64frombits(n.data()) }

// newNode makes a node; 3 (compile.ValueScratch) if there is no room.
func (i *Instance) newNode(tag, word uint32, data uint64) uint32 {
	b, ref := i.alloc(compile.NodeSize)
	if b == nil {
		return compile.ValueScratch
	}
	binary.LittleEndian.PutUint32(b[compile.NodeTag:], tag)
	binary.LittleEndian.PutUint32(b[compile.NodeWord:], word)
	binary.LittleEndian.PutUint64(b[compile.NodeData:], data)
	return ref
}

func (i *Instance) textNode(t uint64) uint32 {
	if t == noScratch {
		return compile.ValueScratch
	}
	return i.newNode(compile.TagText, uint32(t), t>>32)
}

func (i *Instance) textOfNode(n jsonValue) text { return i.textAt(n.address(), uint64(n.word())) }

// hostBoxNumber takes a double or the NaN that stands for nil or a boolean.
func hostBoxNumber(i *Instance, s []uint64) {
	if s[0]&^3 != compile.SentinelBits {
		s[0] = uint64(i.newNode(compile.TagNumber, 0, s[0]))
		return
	}
	switch code := s[0] & 3; code {
	case compile.CodeUndefined, compile.CodeNull:
		s[0] = code - compile.CodeUndefined
	default:
		s[0] = uint64(i.newNode(compile.TagBool, uint32(code), 0))
	}
}

func hostBoxText(i *Instance, s []uint64) {
	if address := uint32(s[0]); address > 1 {
		s[0] = uint64(i.newNode(compile.TagText, uint32(s[1]), uint64(address)))
	}
}

// entry n of an object: name and value.
func (i *Instance) entry(o jsonValue, n uint32) (name text, ref uint32) {
	b := i.bytes(o.address()+uint64(n)*compile.EntrySize, compile.EntrySize)
	if b == nil {
		return text{}, 0
	}
	name = i.textAt(uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:])))
	return name, binary.LittleEndian.Uint32(b[8:])
}

// few names are looked through; more have an index.
const few = 8

// find looks a name up in an object.
func (i *Instance) find(o jsonValue, name text) (ref uint32, ok bool) {
	count := o.word()
	index := uint64(binary.LittleEndian.Uint32(o[compile.NodeIndex:]))
	if index == 0 {
		for n := range count {
			if k, ref := i.entry(o, n); k.wide == name.wide && slices.Equal(k.b, name.b) {
				return ref, true
			}
		}
		return 0, false
	}
	at := func(n int) (text, uint32) {
		return i.entry(o, binary.LittleEndian.Uint32(i.bytes(index+uint64(n)*4, 4)))
	}
	n := sort.Search(int(count), func(n int) bool { k, _ := at(n); return compareNames(k, name) >= 0 })
	if n < int(count) {
		if k, ref := at(n); compareNames(k, name) == 0 {
			return ref, true
		}
	}
	return 0, false
}

// compareNames is any order of names.
func compareNames(a, b text) int {
	if a.wide != b.wide {
		return int(boolCode(a.wide)) - int(boolCode(b.wide))
	}
	return slices.Compare(a.b, b.b)
}

// hostValueGet reads a property by its name. What only a prototype has is for
// tier 0.
func hostValueGet(i *Instance, s []uint64) {
	n, name := i.node(s[0]), i.textAt(s[1], s[2])
	s[0] = compile.ValueOther
	switch n.tag() {
	case compile.TagObject:
		if ref, ok := i.find(n, name); ok {
			s[0] = uint64(ref)
		} else if !objectNames[string(name.b)] {
			s[0] = 0
		}
	case compile.TagArray, compile.TagText:
		if f, ok := indexOf(name); ok {
			s[0] = uint64(i.element(n, f))
		} else if !name.wide && string(name.b) == "length" {
			s[0] = uint64(i.newNode(compile.TagNumber, 0, math.Float64bits(float64(n.word()&^compile.WideText))))
		}
	}
}

// objectNames are what every object inherits.
var objectNames = map[string]bool{"constructor": true, "hasOwnProperty": true, "isPrototypeOf": true, "propertyIsEnumerable": true, "toLocaleString": true,
	"toString": true, "valueOf": true, "__proto__": true, "__defineGetter__": true, "__defineSetter__": true, "__lookupGetter__": true, "__lookupSetter__": true}

// indexOf reads a name that is an array index.
func indexOf(name text) (uint32, bool) {
	if name.wide || len(name.b) == 0 || len(name.b) > 10 || name.b[0] == '0' && len(name.b) > 1 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range name.b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return uint32(n), n < math.MaxUint32
}

// element of an array, or a character of a string.
func (i *Instance) element(n jsonValue, index uint32) uint32 {
	if index >= n.word()&^compile.WideText {
		return 0
	}
	if n.tag() == compile.TagText {
		t := i.textOfNode(n)
		return i.textNode(i.cutAt(n.address(), t, int(index), int(index)+1))
	}
	return binary.LittleEndian.Uint32(i.bytes(n.address()+uint64(index)*4, 4))
}

// hostValueAt reads an element by a number.
func hostValueAt(i *Instance, s []uint64) {
	n, f := i.node(s[0]), api.DecodeF64(s[1])
	switch {
	case n.tag() == compile.TagObject:
		name := text{appendNumber(i.text[:0], f), false}
		ref, _ := i.find(n, name) // no prototype has a number for a name
		s[0] = uint64(ref)
	case n.tag() < compile.TagText:
		s[0] = 0 // of a number or a boolean
	case f >= 0 && f < math.MaxUint32 && f == math.Trunc(f):
		s[0] = uint64(i.element(n, uint32(f)))
	default:
		s[0] = 0
	}
}

// hostValueNumber is ToNumber; of objects the code of what is not one.
func hostValueNumber(i *Instance, s []uint64) {
	ref, n := uint32(s[0]), i.node(s[0])
	switch n.tag() {
	case 0:
		s[0] = math.Float64bits(math.NaN())
		if ref == 1 { // null
			s[0] = 0
		}
	case compile.TagBool:
		s[0] = api.EncodeF64(float64(n.word()))
	case compile.TagNumber:
		s[0] = n.data()
	case compile.TagText:
		s[0] = api.EncodeF64(numberOf(i.trimmed(n.address(), uint64(n.word()))))
	default:
		s[0] = compile.SentinelBits + compile.CodeJSON
	}
}

// hostValueText is ToString; all ones but the last bit for objects.
func hostValueText(i *Instance, s []uint64) {
	ref, n := uint32(s[0]), i.node(s[0])
	switch n.tag() {
	case 0:
		s[0] = i.builtOf([]byte(codeNames[ref&1+compile.CodeUndefined]))
	case compile.TagBool:
		s[0] = i.builtOf([]byte(codeNames[n.word()&1]))
	case compile.TagNumber:
		s[0] = i.builtOf(appendNumber(i.text[:0], n.float()))
	case compile.TagText:
		s[0] = packed(uint32(n.address()), n.word())
	default:
		s[0] = ^uint64(1)
	}
}

// hostValueIsNumber is === with a number, or a NaN that stands for nil or a
// boolean.
func hostValueIsNumber(i *Instance, s []uint64) {
	ref, n := s[0], i.node(s[0])
	if s[1]&^3 != compile.SentinelBits {
		s[0] = boolCode(n.tag() == compile.TagNumber && n.float() == api.DecodeF64(s[1]))
		return
	}
	switch code := s[1] & 3; code {
	case compile.CodeUndefined, compile.CodeNull:
		s[0] = boolCode(uint64(uint32(ref)) == code-compile.CodeUndefined)
	default:
		s[0] = boolCode(n.tag() == compile.TagBool && uint64(n.word()) == code)
	}
}

func hostValueIsText(i *Instance, s []uint64) {
	n := i.node(s[0])
	if uint32(s[1]) <= 1 {
		s[0] = boolCode(uint32(s[0]) == uint32(s[1]))
		return
	}
	t := i.textAt(s[1], s[2])
	if n.tag() != compile.TagText {
		s[0] = 0
		return
	}
	u := i.textOfNode(n)
	s[0] = boolCode(t.wide == u.wide && slices.Equal(t.b, u.b))
}

func hostValueSame(i *Instance, s []uint64) {
	a, b := i.node(s[0]), i.node(s[1])
	switch {
	case a.tag() != b.tag():
		s[0] = 0
	case a.tag() == compile.TagNumber:
		s[0] = boolCode(a.float() == b.float())
	case a.tag() == compile.TagBool:
		s[0] = boolCode(a.word() == b.word())
	case a.tag() == compile.TagText:
		t, u := i.textOfNode(a), i.textOfNode(b)
		s[0] = boolCode(t.wide == u.wide && slices.Equal(t.b, u.b))
	default:
		s[0] = boolCode(uint32(s[0]) == uint32(s[1]))
	}
}

// hostRaisedText makes a string of the parser's exception, without its class.
func hostRaisedText(i *Instance, s []uint64) {
	i.builder.reset()
	i.builder.utf8(bytes.TrimPrefix(i.raised, []byte("SyntaxError: ")))
	s[0] = i.built()
}

// hostJSONStart begins the text of JSON.stringify.
func hostJSONStart(i *Instance, _ []uint64) {
	w := &i.json
	w.out, w.charged, w.unlimited = w.out[:0], 0, true
}

// hostJSONTake makes a string of the text.
func hostJSONTake(i *Instance, s []uint64) {
	w := &i.json
	w.unlimited = false
	i.builder.reset()
	i.builder.utf8(w.out)
	s[0] = i.built()
}

// jsonNode writes a JSON value; undefined as null.
func (i *Instance) jsonNode(left int64, ref uint64) int64 {
	n := i.node(ref)
	w := &i.json
	if tag := n.tag(); tag < compile.TagArray {
		if left = i.jsonBegin(left); left < 0 {
			return left
		}
		switch tag {
		case compile.TagBool:
			w.out = strconv.AppendBool(w.out, n.word() != 0)
		case compile.TagNumber:
			w.out = appendNumber(w.out, n.float())
		case compile.TagText:
			t := i.textOfNode(n)
			left = i.meter.work(left, int64(len(i.utf8Of(t))))
			w.out = append(appendQuoted(append(w.out, '"'), t), '"')
		default:
			w.out = append(w.out, "null"...)
		}
		return left
	}
	isObject := n.tag() == compile.TagObject
	if len(w.open) >= jsonNesting {
		i.meter.end(jit.Deopt) // tier 0 knows what to do with it
		return -1
	}
	count, bracket := n.word(), uint64('[')
	stack := [3]uint64{uint64(left), bracket, 0}
	if isObject {
		stack[1], stack[2] = '{', uint64(count)
	}
	hostJSONOpen(i, stack[:])
	left = int64(stack[0])
	for at := uint32(0); at < count && left >= 0; at++ {
		child := uint32(0)
		if isObject {
			var name text
			name, child = i.entry(n, at)
			w.key, w.hasKey = appendQuoted(w.key[:0], name), true
		} else {
			child = i.element(n, at)
		}
		left = i.jsonNode(left, uint64(child))
	}
	hostJSONClose(i, nil)
	return left
}
