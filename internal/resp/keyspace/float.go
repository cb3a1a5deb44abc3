package keyspace

import (
	"math/big"
	"strings"

	"shredder/internal/resp/proto"
	"shredder/store"
)

const (
	// floatBits is the mantissa of the x87's long double, in which Redis adds.
	floatBits = 64
	// floatExp bounds its exponents: 2^16384 is infinite, and below 2^-16446 all is 0.
	floatExp    = 16384
	floatMinExp = -16445
	// floatChars is the longest text that counts as a number.
	floatChars = 5*1024 - 1

	textFloat = "ERR value is not a valid float"
	textNaN   = "ERR increment would produce NaN or Infinity"
)

// parseFloat reads a number as C's strtold does: decimal, hexadecimal or infinite.
func parseFloat(b []byte) (*big.Float, bool) {
	if len(b) == 0 || len(b) > floatChars {
		return nil, false
	}
	s := strings.ToLower(string(b))
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 {
		return nil, false
	}
	if digits == "inf" || digits == "infinity" {
		return new(big.Float).SetPrec(floatBits).SetInf(s[0] == '-'), true
	}
	allowed, base, exponent := "0123456789.e+-", 10, "e"
	if strings.HasPrefix(digits, "0x") {
		allowed, base, exponent = "0123456789abcdefpx.+-", 0, "p"
	}
	if strings.Trim(s, allowed) != "" {
		return nil, false
	}
	f, _, err := big.ParseFloat(s, base, floatBits, big.ToNearestEven)
	if err != nil || f.IsInf() || f.MantExp(nil) > floatExp {
		return nil, false
	}
	mantissa, _, _ := strings.Cut(digits, exponent)
	if strings.ContainsAny(mantissa, "123456789abcdef") && (f.Sign() == 0 || f.MantExp(nil) < floatMinExp) {
		return nil, false // strtold says ERANGE of what is too small
	}
	return f, true
}

// formatFloat writes 17 digits behind the point, without zeros at the end.
func formatFloat(f *big.Float) string {
	s := f.Text('f', 17)
	s = strings.TrimRight(s, "0")
	s = strings.TrimSuffix(s, ".")
	if s == "-0" {
		return "0"
	}
	return s
}

func incrbyfloat(db *DB, args [][]byte, w *proto.Writer) {
	e, res := db.get(args[1])
	if res != store.Missing && failed(w, res) {
		return
	}
	sum, ok := new(big.Float).SetPrec(floatBits), true
	if res == store.OK {
		sum, ok = parseFloat(e.Value)
	}
	delta, ok2 := parseFloat(args[2])
	if !ok || !ok2 {
		w.Error(textFloat)
		return
	}
	if sum.IsInf() || delta.IsInf() {
		w.Error(textNaN)
		return
	}
	if sum.Add(sum, delta); sum.MantExp(nil) > floatExp {
		w.Error(textNaN)
		return
	}
	text := formatFloat(sum)
	if db.put(args[1], []byte(text), store.SetOptions{KeepExpire: true}, w) {
		w.BulkString(text)
	}
}
