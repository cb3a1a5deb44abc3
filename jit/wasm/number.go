package wasm

import (
	"math"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

func hostNumberOfText(i *Instance, s []uint64) {
	switch uint32(s[0]) {
	case 0: // undefined
		s[0] = api.EncodeF64(math.NaN())
	case 1: // null
		s[0] = 0
	default:
		s[0] = api.EncodeF64(numberOf(i.trimmed(s[0], s[1])))
	}
}

// numberOf is StringToNumber (ECMA-262) of ASCII text.
func numberOf(s string) float64 {
	s = strings.Trim(s, " \t\n\v\f\r")
	if s == "" {
		return 0
	}
	if len(s) > 2 && s[0] == '0' {
		base := map[byte]float64{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[s[1]]
		if base != 0 {
			return wholeNumber(s[2:], base)
		}
	}
	switch s {
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	if !isDecimal(s) {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range gives ±Inf, as it should
	return f
}

// wholeNumber reads digits of a base that is a power of two; beyond 2^53 the
// value may be rounded twice, which tier 0 does as well.
func wholeNumber(digits string, base float64) float64 {
	f := 0.0
	for _, c := range []byte(digits) {
		d := math.Inf(1)
		switch {
		case c >= '0' && c <= '9':
			d = float64(c - '0')
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			d = float64(c|0x20-'a') + 10
		}
		if d >= base {
			return math.NaN()
		}
		f = f*base + d
	}
	return f
}

// isDecimal says that s is a StrDecimalLiteral but Infinity.
func isDecimal(s string) bool {
	s = strings.TrimLeft(s[:1], "+-") + s[1:]
	digits := func() (n int) {
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n
	}
	n := digits()
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		n += digits()
	}
	if n == 0 {
		return false
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return s == ""
}
