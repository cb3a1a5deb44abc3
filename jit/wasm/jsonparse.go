package wasm

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"shredder/jit/compile"
)

// jsonNesting bounds brackets in brackets, as on tier 0.
const jsonNesting = 256

// jsonParser makes nodes of a JSON text. What it does not take is no JSON.
type jsonParser struct {
	i       *Instance
	b       []byte
	at      int
	base    uint32 // where b lies in memory, so that its strings can stay there; 0: nowhere
	full    bool   // scratch is used up
	refs    []uint32
	members []member
	index   []uint32
}

type member struct {
	name uint64 // address << 32 | length word
	ref  uint32
}

func hostJSONParse(i *Instance, s []uint64) {
	t := i.textAt(s[1], s[2])
	base := uint32(s[1])
	if t.wide {
		base = 0
	}
	left, ref := i.parse(int64(s[0]), i.utf8Of(t), base)
	s[0], s[1] = uint64(left), uint64(ref)
}

// hostJSONStored parses a stored value; address 0 is a missing one.
func hostJSONStored(i *Instance, s []uint64) {
	base := uint32(s[1])
	if base == 0 {
		return
	}
	b := i.bytes(s[1], s[2])
	if !utf8.Valid(b) {
		b, base = []byte(string([]rune(string(b)))), 0
	}
	left, ref := i.parse(int64(s[0]), b, base)
	s[0], s[1] = uint64(left), uint64(ref)
}

// parse burns for a text and parses it. An exception is raised, and its
// reference is compile.ValueThrow.
func (i *Instance) parse(left int64, b []byte, base uint32) (int64, uint32) {
	if left = i.meter.work(left, 4*int64(len(b))); left < 0 {
		return left, 0
	}
	if isTooDeep(b) {
		i.raised = append(i.raised[:0], "SyntaxError: a JSON text is nested too deeply"...)
		return left, compile.ValueThrow
	}
	p := &i.parser
	p.i, p.b, p.at, p.base, p.full = i, b, 0, base, false
	p.refs, p.members = p.refs[:0], p.members[:0]
	ref, ok := p.value()
	if p.full {
		return left, compile.ValueScratch
	}
	if p.space(); ok && p.at == len(b) {
		return left, ref
	}
	message := jsonError(b)
	if message == "" {
		return left, compile.ValueOther
	}
	message = "SyntaxError: " + message
	i.raised = appendValid(i.raised[:0], []byte(message[:min(len(message), largestMessage)]))
	return left, compile.ValueThrow
}

func isTooDeep(b []byte) bool {
	depth, quoted := 0, false
	for n := 0; n < len(b); n++ {
		switch c := b[n]; {
		case quoted && c == '\\':
			n++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > jsonNesting {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

func (p *jsonParser) space() {
	for p.at < len(p.b) && (p.b[p.at] == ' ' || p.b[p.at] == '\n' || p.b[p.at] == '\t' || p.b[p.at] == '\r') {
		p.at++
	}
}

// next skips space and takes c if it comes.
func (p *jsonParser) next(c byte) bool {
	if p.space(); p.at < len(p.b) && p.b[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) word(w string) bool {
	if bytes.HasPrefix(p.b[p.at:], []byte(w)) {
		p.at += len(w)
		return true
	}
	return false
}

// made notes that scratch is used up.
func (p *jsonParser) made(ref uint32) (uint32, bool) {
	p.full = p.full || ref == compile.ValueScratch
	return ref, !p.full
}

func (p *jsonParser) value() (ref uint32, ok bool) {
	p.space()
	if p.at == len(p.b) {
		return 0, false
	}
	switch c := p.b[p.at]; {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		t, ok := p.text()
		if !ok {
			return 0, false
		}
		return p.made(p.i.textNode(t))
	case c == 'n':
		return 1, p.word("null")
	case c == 't':
		if !p.word("true") {
			return 0, false
		}
		return p.made(p.i.newNode(compile.TagBool, 1, 0))
	case c == 'f':
		if !p.word("false") {
			return 0, false
		}
		return p.made(p.i.newNode(compile.TagBool, 0, 0))
	}
	return p.number()
}

func (p *jsonParser) digits() bool {
	start := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

func (p *jsonParser) number() (uint32, bool) {
	start := p.at
	if p.b[p.at] == '-' {
		p.at++
	}
	first := p.at
	if !p.digits() || p.b[first] == '0' && p.at > first+1 {
		return 0, false
	}
	if p.at < len(p.b) && p.b[p.at] == '.' {
		if p.at++; !p.digits() {
			return 0, false
		}
	}
	if p.at < len(p.b) && p.b[p.at]|0x20 == 'e' {
		if p.at++; p.at < len(p.b) && (p.b[p.at] == '+' || p.b[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(p.b[start:p.at]), 64)
	if err != nil {
		return 0, false
	}
	return p.made(p.i.newNode(compile.TagNumber, 0, math.Float64bits(f)))
}

func (p *jsonParser) array() (uint32, bool) {
	p.at++
	start := len(p.refs)
	for first := true; !p.next(']'); first = false {
		if !first && !p.next(',') {
			return 0, false
		}
		ref, ok := p.value()
		if !ok {
			return 0, false
		}
		p.refs = append(p.refs, ref)
	}
	return p.listFrom(start)
}

// listFrom makes an array of the references from start on.
func (p *jsonParser) listFrom(start int) (uint32, bool) {
	list := p.refs[start:]
	b, address := p.i.alloc(4 * len(list))
	if b == nil && len(list) > 0 {
		p.full = true
		return 0, false
	}
	for n, ref := range list {
		binary.LittleEndian.PutUint32(b[4*n:], ref)
	}
	p.refs = p.refs[:start]
	return p.made(p.i.newNode(compile.TagArray, uint32(len(list)), uint64(address)))
}

func (p *jsonParser) object() (uint32, bool) {
	p.at++
	start := len(p.members)
	for first := true; !p.next('}'); first = false {
		if !first && !p.next(',') {
			return 0, false
		}
		if p.space(); p.at == len(p.b) || p.b[p.at] != '"' {
			return 0, false
		}
		name, ok := p.text()
		if !ok || !p.next(':') {
			return 0, false
		}
		ref, ok := p.value()
		if !ok {
			return 0, false
		}
		p.members = append(p.members, member{name, ref})
	}
	list := p.ordered(p.members[start:])
	p.members = p.members[:start]
	b, address := p.i.alloc(compile.EntrySize * len(list))
	if b == nil && len(list) > 0 {
		p.full = true
		return 0, false
	}
	for n, m := range list {
		e := b[n*compile.EntrySize:]
		binary.LittleEndian.PutUint32(e, uint32(m.name>>32))
		binary.LittleEndian.PutUint32(e[4:], uint32(m.name))
		binary.LittleEndian.PutUint32(e[8:], m.ref)
	}
	data := uint64(address)
	if len(list) > few {
		b, index := p.i.alloc(4 * len(list))
		if b == nil {
			p.full = true
			return 0, false
		}
		for n, at := range p.sorted(list) {
			binary.LittleEndian.PutUint32(b[4*n:], at)
		}
		data |= uint64(index) << 32
	}
	return p.made(p.i.newNode(compile.TagObject, uint32(len(list)), data))
}

func (p *jsonParser) nameOf(m member) text { return p.i.textAt(m.name>>32, m.name&(1<<32-1)) }

// sorted are the members' numbers in order of their names, equal ones as they
// stand.
func (p *jsonParser) sorted(list []member) []uint32 {
	p.index = p.index[:0]
	for n := range list {
		p.index = append(p.index, uint32(n))
	}
	slices.SortStableFunc(p.index, func(a, b uint32) int { return compareNames(p.nameOf(list[a]), p.nameOf(list[b])) })
	return p.index
}

// ordered puts members as JavaScript keeps them: of equal names the last value
// in the first place, array indices in front in their order.
func (p *jsonParser) ordered(list []member) []member {
	index := p.sorted(list)
	dropped := false
	for n := 1; n < len(index); n++ {
		first, again := &list[index[n-1]], &list[index[n]]
		if compareNames(p.nameOf(*first), p.nameOf(*again)) == 0 {
			first.ref, again.ref, dropped = again.ref, dead, true
			index[n] = index[n-1]
		}
	}
	if dropped {
		list = slices.DeleteFunc(list, func(m member) bool { return m.ref == dead })
	}
	any := false
	for _, m := range list {
		_, isIndex := indexOf(p.nameOf(m))
		any = any || isIndex
	}
	if any {
		slices.SortStableFunc(list, func(a, b member) int {
			x, okX := indexOf(p.nameOf(a))
			y, okY := indexOf(p.nameOf(b))
			switch {
			case okX && okY:
				return int(int64(x) - int64(y))
			case okX:
				return -1
			case okY:
				return 1
			}
			return 0
		})
	}
	return list
}

// dead marks a member whose name comes again.
const dead = ^uint32(0)

// text reads a string that begins here.
func (p *jsonParser) text() (t uint64, ok bool) {
	p.at++
	start := p.at
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '"':
			end := p.at
			p.at++
			if p.base != 0 {
				return packed(p.base+uint32(start), uint32(end-start)), true
			}
			return p.store(p.i.builtOf(p.b[start:end]))
		case c < ' ':
			return 0, false
		case c == '\\' || c >= utf8.RuneSelf:
			return p.escaped(start)
		}
		p.at++
	}
	return 0, false
}

func (p *jsonParser) store(t uint64) (uint64, bool) {
	p.full = p.full || t == noScratch
	return t, !p.full
}

// escaped reads on where a string cannot stay as it lies.
func (p *jsonParser) escaped(start int) (uint64, bool) {
	w := &p.i.builder
	w.reset()
	w.utf8(p.b[start:p.at])
	for p.at < len(p.b) {
		c := p.b[p.at]
		switch {
		case c == '"':
			p.at++
			return p.store(p.i.built())
		case c < ' ':
			return 0, false
		case c == '\\':
			if !p.escape(w) {
				return 0, false
			}
		default:
			_, size := utf8.DecodeRune(p.b[p.at:])
			w.utf8(p.b[p.at : p.at+size])
			p.at += size
		}
	}
	return 0, false
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads a backslash and what follows; a lone surrogate becomes U+FFFD,
// as on tier 0.
func (p *jsonParser) escape(w *builder) bool {
	if p.at+1 >= len(p.b) {
		return false
	}
	if c, ok := escapes[p.b[p.at+1]]; ok {
		w.unit(uint16(c))
		p.at += 2
		return true
	}
	c, ok := p.unicode()
	if !ok {
		return false
	}
	if utf16.IsSurrogate(c) {
		at := p.at
		second, ok := p.unicode()
		if r := utf16.DecodeRune(c, second); ok && r != utf8.RuneError {
			w.unit(uint16(c))
			w.unit(uint16(second))
			return true
		}
		p.at, c = at, utf8.RuneError
	}
	w.unit(uint16(c))
	return true
}

// unicode reads \uXXXX.
func (p *jsonParser) unicode() (rune, bool) {
	if p.at+6 > len(p.b) || p.b[p.at] != '\\' || p.b[p.at+1] != 'u' {
		return 0, false
	}
	n := rune(0)
	for _, c := range p.b[p.at+2 : p.at+6] {
		d := digit(c)
		if d > 15 {
			return 0, false
		}
		n = n<<4 | rune(d)
	}
	p.at += 6
	return n, true
}

// jsonError is what tier 0 says about a text that is no JSON: it takes Go's
// decoder token by token.
func jsonError(b []byte) string {
	d := json.NewDecoder(bytes.NewReader(b))
	err := decodeTokens(d)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Sprintf("Unexpected end of JSON input (%v)", err)
	case err != nil:
		return err.Error()
	}
	if tok, err := d.Token(); err != io.EOF {
		return fmt.Sprintf("Unexpected token at the end: %v", tok)
	}
	return ""
}

// decodeTokens reads one value.
func decodeTokens(d *json.Decoder) error {
	for depth := 0; ; {
		tok, err := d.Token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
