package wasm

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"

	"github.com/dop251/goja/ftoa"
	"github.com/dop251/goja/parser"
	"github.com/tetratelabs/wazero/api"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"shredder/jit/compile"
)

// stringFunctions are the host's part of the methods of strings.
var stringFunctions = map[string]hostFunction{
	"textOfBytes": {"ii", "l", hostTextOfBytes},
	"textAppend":  {"iiii", "l", hostTextAppend},
	"textOrder":   {"iiii", "i", hostTextOrder},
	"textPoint":   {"iil", "l", hostTextPoint},
	"textCut":     {"iiii", "l", hostTextCut},
	"textIndex":   {"iiiil", "l", hostTextIndex},
	"textLast":    {"iiiil", "l", hostTextLast},
	"textStarts":  {"iiiili", "i", hostTextStarts},
	"textChange":  {"iii", "l", hostTextChange},
	"textRepeat":  {"iil", "l", hostTextRepeat},
	"textPad":     {"iiliii", "l", hostTextPad},
	"textReplace": {"iiiiiii", "l", hostTextReplace},
	"textOfUnit":  {"l", "l", hostTextOfUnit},
	"textSplit":   {"iiiili", "i", hostTextSplit},
	"numberRadix": {"dl", "l", hostNumberRadix},
	"numberFixed": {"dl", "l", hostNumberFixed},
	"parseInt":    {"iil", "d", hostParseInt},
	"parseFloat":  {"ii", "d", hostParseFloat},
	"requestID":   {"", "l", hostRequestID},
}

func boolCode(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// hostTextOfBytes makes a string of stored UTF-8.
func hostTextOfBytes(i *Instance, s []uint64) {
	i.builder.reset()
	i.builder.utf8(i.bytes(s[0], s[1]))
	s[0] = i.built()
}

func hostTextAppend(i *Instance, s []uint64) {
	i.builder.reset()
	i.builder.text(i.textAt(s[0], s[1]))
	i.builder.text(i.textAt(s[2], s[3]))
	s[0] = i.built()
}

// hostTextJoin makes one string of the elements of an array of strings, with a
// separator in between.
func hostTextJoin(i *Instance, s []uint64) {
	i.builder.reset()
	if h := i.bytes(s[0], 12); h != nil {
		data := i.bytes(uint64(binary.LittleEndian.Uint32(h[8:])), uint64(binary.LittleEndian.Uint32(h))*8)
		for at := 0; at < len(data); at += 8 {
			if at > 0 {
				i.builder.text(i.textAt(s[1], s[2]))
			}
			x := binary.LittleEndian.Uint64(data[at:])
			i.builder.text(i.textAt(x, x>>32))
			if !i.room(float64(i.builder.len())) {
				s[0] = noScratch
				return
			}
		}
	}
	s[0] = i.built()
}

// hostTextOrder compares code units.
func hostTextOrder(i *Instance, s []uint64) {
	s[0] = uint64(uint32(int32(i.textAt(s[0], s[1]).compare(i.textAt(s[2], s[3])))))
}

// compare is below, at or above 0 as a is before, equal to or behind b.
func (a text) compare(b text) int {
	for n := 0; ; n++ {
		switch {
		case n >= a.len() || n >= b.len():
			return a.len() - b.len()
		case a.at(n) != b.at(n):
			return int(a.at(n)) - int(b.at(n))
		}
	}
}

func hostTextPoint(i *Instance, s []uint64) {
	t := i.textAt(s[0], s[1])
	if s[2] >= uint64(t.len()) {
		s[0] = 1<<63 | compile.CodeUndefined
		return
	}
	c, _ := t.point(int(s[2]))
	s[0] = uint64(c)
}

func hostTextCut(i *Instance, s []uint64) {
	t := i.textAt(s[0], s[1])
	s[0] = i.cutAt(s[0], t, int(uint32(s[2])), int(uint32(s[3])))
}

func clamp(n uint64, most int) int { return int(max(0, min(int64(n), int64(most)))) }

func hostTextIndex(i *Instance, s []uint64) {
	t, what := i.textAt(s[0], s[1]), i.textAt(s[2], s[3])
	start := clamp(s[4], t.len())
	if !t.wide && !what.wide {
		n := bytes.Index(t.b[start:], what.b)
		if n >= 0 {
			n += start
		}
		s[0] = uint64(int64(n))
		return
	}
	s[0] = uint64(int64(t.find(what, start)))
}

func hostTextLast(i *Instance, s []uint64) {
	t, what := i.textAt(s[0], s[1]), i.textAt(s[2], s[3])
	for n := min(clamp(s[4], t.len()), t.len()-what.len()); n >= 0; n-- {
		if t.cut(n, n+what.len()).equals(what) {
			s[0] = uint64(n)
			return
		}
	}
	s[0] = ^uint64(0)
}

// hostTextStarts is startsWith, and with a last argument endsWith.
func hostTextStarts(i *Instance, s []uint64) {
	t, what := i.textAt(s[0], s[1]), i.textAt(s[2], s[3])
	start := clamp(s[4], t.len())
	if uint32(s[5]) != 0 {
		start -= what.len()
	}
	s[0] = boolCode(start >= 0 && start+what.len() <= t.len() && t.cut(start, start+what.len()).equals(what))
}

// hostTextChange trims, or changes case. As on tier 0 text that is not ASCII
// goes through UTF-8, where a lone surrogate becomes U+FFFD.
func hostTextChange(i *Instance, s []uint64) {
	t, how := i.textAt(s[0], s[1]), uint32(s[2])
	if !t.wide {
		switch {
		case how == compile.ToLower || how == compile.ToUpper:
			i.builder.reset()
			for _, c := range t.b {
				if how == compile.ToLower && c >= 'A' && c <= 'Z' || how == compile.ToUpper && c >= 'a' && c <= 'z' {
					c ^= 0x20
				}
				i.builder.narrow = append(i.builder.narrow, c)
			}
			s[0] = i.built()
		default:
			from, to := 0, len(t.b)
			for how&compile.TrimStart != 0 && from < to && isSpace(t.b[from]) {
				from++
			}
			for how&compile.TrimEnd != 0 && from < to && isSpace(t.b[to-1]) {
				to--
			}
			s[0] = i.cutAt(s[0], t, from, to)
		}
		return
	}
	u := string(i.utf8Of(t))
	switch how {
	case compile.ToLower:
		u = lowerCase(u)
	case compile.ToUpper:
		u = cases.Upper(language.Und).String(u)
	case compile.TrimStart:
		u = strings.TrimLeft(u, parser.WhitespaceChars)
	case compile.TrimEnd:
		u = strings.TrimRight(u, parser.WhitespaceChars)
	default:
		u = strings.Trim(u, parser.WhitespaceChars)
	}
	i.builder.reset()
	i.builder.utf8([]byte(u))
	s[0] = i.built()
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// lowerCase puts a final sigma right that x/text gets wrong behind a combining
// iota without an alpha, as tier 0 does.
func lowerCase(s string) string {
	r := []rune(cases.Lower(language.Und).String(s))
	for i := 0; i < len(r)-1; i++ {
		if (i == 0 || r[i-1] != 0x3b1) && r[i] == 0x345 && r[i+1] == 0x3c2 {
			i++
			r[i] = 0x3c3
		}
	}
	return string(r)
}

func hostTextRepeat(i *Instance, s []uint64) {
	t, times := i.textAt(s[0], s[1]), int64(s[2])
	i.builder.reset()
	if !i.room(float64(t.len()) * float64(times)) {
		s[0] = noScratch
		return
	}
	if t.len() > 0 {
		for range times {
			i.builder.text(t)
		}
	}
	s[0] = i.built()
}

func hostTextPad(i *Instance, s []uint64) {
	t, size, filler, atEnd := i.textAt(s[0], s[1]), int64(s[2]), i.textAt(s[3], s[4]), uint32(s[5]) != 0
	if size <= int64(t.len()) || filler.len() == 0 {
		s[0] = packed(uint32(s[0]), uint32(s[1]))
		return
	}
	if !i.room(float64(size)) {
		s[0] = noScratch
		return
	}
	i.builder.reset()
	if atEnd {
		i.builder.text(t)
	}
	for left := int(size) - t.len(); left > 0; left -= filler.len() {
		i.builder.text(filler.cut(0, min(left, filler.len())))
	}
	if !atEnd {
		i.builder.text(t)
	}
	s[0] = i.built()
}

// hostTextReplace replaces the first place of a text, or all.
func hostTextReplace(i *Instance, s []uint64) {
	t, what, with, all := i.textAt(s[0], s[1]), i.textAt(s[2], s[3]), i.textAt(s[4], s[5]), uint32(s[6]) != 0
	at := t.find(what, 0)
	if at < 0 {
		s[0] = packed(uint32(s[0]), uint32(s[1]))
		return
	}
	b, last := &i.builder, 0
	b.reset()
	for at >= 0 {
		b.text(t.cut(last, at))
		if !b.substitute(t, at, at+what.len(), with, int(i.scratch.left)+firstScratch) {
			s[0] = noScratch
			return
		}
		last = at + what.len()
		if !all {
			break
		}
		at = t.find(what, at+max(1, what.len()))
	}
	b.text(t.cut(last, t.len()))
	s[0] = i.built()
}

// substitute appends the replacement of what lies from start to end of t; false
// if the text grows too long.
func (b *builder) substitute(t text, start, end int, with text, most int) bool {
	for n := 0; n < with.len(); n++ {
		c := with.at(n)
		if c == '$' && n+1 < with.len() {
			n++
			switch with.at(n) {
			case '$':
				b.unit('$')
			case '&':
				b.text(t.cut(start, end))
			case '`':
				b.text(t.cut(0, start))
			case '\'':
				b.text(t.cut(end, t.len()))
			default:
				b.unit('$')
				n--
			}
		} else {
			b.unit(c)
		}
		if b.len() > most {
			return false
		}
	}
	return true
}

// hostTextSplit makes an array of the parts of a text; address 0: no room.
func hostTextSplit(i *Instance, s []uint64) {
	address, t, sep, limit, whole := s[0], i.textAt(s[0], s[1]), i.textAt(s[2], s[3]), s[4], uint32(s[5]) != 0
	s[0] = 0
	parts := i.parts[:0]
	add := func(from, to int) bool {
		if uint64(len(parts)) >= limit {
			return false
		}
		parts = append(parts, i.cutAt(address, t, from, to))
		return parts[len(parts)-1] != noScratch
	}
	last, n := 0, t.len()
	switch {
	case whole:
		add(0, n)
	case sep.len() == 0:
		for last < n && add(last, last+1) {
			last++
		}
	default:
		at := t.find(sep, 0)
		for at >= 0 && add(last, at) {
			last = at + sep.len()
			at = t.find(sep, last)
		}
		if at < 0 {
			add(last, n)
		}
	}
	i.parts = parts
	if len(parts) > 0 && parts[len(parts)-1] == noScratch {
		return
	}
	room := max(len(parts), 8)
	data, at := i.alloc(8 * room)
	header, list := i.alloc(compile.ListSize)
	if data == nil || header == nil {
		return
	}
	for n, part := range parts {
		binary.LittleEndian.PutUint64(data[8*n:], part>>32|part<<32) // address first
	}
	clear(header)
	binary.LittleEndian.PutUint32(header[compile.ListLen:], uint32(len(parts)))
	binary.LittleEndian.PutUint32(header[compile.ListCap:], uint32(room))
	binary.LittleEndian.PutUint32(header[compile.ListData:], at)
	s[0] = uint64(list)
}

func hostTextOfUnit(i *Instance, s []uint64) {
	i.builder.reset()
	i.builder.unit(uint16(s[0]))
	s[0] = i.built()
}

func (i *Instance) builtOf(ascii []byte) uint64 {
	i.builder.reset()
	i.builder.narrow = append(i.builder.narrow, ascii...)
	return i.built()
}

func hostNumberRadix(i *Instance, s []uint64) {
	f := api.DecodeF64(s[0])
	if s[1] == 10 || math.IsNaN(f) || math.IsInf(f, 0) {
		s[0] = i.builtOf(appendNumber(i.text[:0], f))
		return
	}
	s[0] = i.builtOf([]byte(ftoa.FToBaseStr(f, int(s[1]))))
}

func hostNumberFixed(i *Instance, s []uint64) {
	s[0] = i.builtOf(ftoa.FToStr(api.DecodeF64(s[0]), ftoa.ModeFixed, int(s[1]), i.text[:0]))
}

// trimmed is a text without space at its ends, as numbers are read.
func (i *Instance) trimmed(address, word uint64) string {
	t := i.textAt(address, word)
	if t.wide {
		return strings.Trim(string(i.utf8Of(t)), parser.WhitespaceChars)
	}
	return strings.TrimSpace(string(t.b))
}

// hostParseInt is parseInt; what leaves 53 bits is rounded digit by digit, as
// tier 0 does.
func hostParseInt(i *Instance, s []uint64) {
	s[0] = api.EncodeF64(parseInt(i.trimmed(s[0], s[1]), int64(s[2])))
}

func parseInt(s string, base int64) float64 {
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if hex := len(s) > 1 && s[0] == '0' && s[1]|0x20 == 'x'; hex && (base == 0 || base == 16) {
		base, s = 16, s[2:]
	}
	if base == 0 {
		base = 10
	}
	if base < 2 || base > 36 {
		return math.NaN()
	}
	end := 0
	for end < len(s) && digit(s[end]) < base {
		end++
	}
	if end == 0 {
		return math.NaN()
	}
	f := largeInt(s[:end], base)
	if negative {
		f = -f
	}
	return f
}

// largeInt sums digits in 64 bits as long as they fit, then in a double.
func largeInt(digits string, base int64) float64 {
	n, cutoff := int64(0), math.MaxInt64/base+1
	for at := 0; at < len(digits); at++ {
		d := digit(digits[at])
		if n >= cutoff || n*base+d < 0 {
			f := float64(n)
			for ; at < len(digits); at++ {
				f = f*float64(base) + float64(digit(digits[at]))
			}
			return f
		}
		n = n*base + d
	}
	return float64(n)
}

func digit(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c >= 'a' && c <= 'z':
		return int64(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int64(c-'A') + 10
	}
	return 99
}

// hostParseFloat reads the longest prefix that is a decimal literal.
func hostParseFloat(i *Instance, s []uint64) {
	t := i.trimmed(s[0], s[1])
	for n := decimalPrefix(t); n > 0; n-- {
		if f := numberOf(t[:n]); !math.IsNaN(f) {
			s[0] = api.EncodeF64(f)
			return
		}
	}
	s[0] = api.EncodeF64(math.NaN())
}

func decimalPrefix(s string) int {
	sign := len(s) - len(strings.TrimLeft(s[:min(1, len(s))], "+-")) - len(s[min(1, len(s)):])
	if strings.HasPrefix(s[sign:], "Infinity") {
		return sign + len("Infinity")
	}
	n := sign
	digits := func() {
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
	}
	digits()
	if n < len(s) && s[n] == '.' {
		n++
		digits()
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		mantissa := n
		if n++; n < len(s) && (s[n] == '+' || s[n] == '-') {
			n++
		}
		exponent := n
		if digits(); n == exponent {
			return mantissa
		}
	}
	return n
}

func hostRequestID(i *Instance, s []uint64) {
	s[0] = i.requestID
	if i.requestID > maxSafe {
		s[0] = ^uint64(0)
	}
}
