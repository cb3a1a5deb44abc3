package difftest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// gen makes random commands.
type gen struct{ *rand.Rand }

func (g gen) of(words ...string) string { return words[g.IntN(len(words))] }

// key is one of few, so that commands meet; some are integers, some nearly so.
func (g gen) key() string {
	if g.IntN(3) == 0 {
		return g.of("0", "7", "42", "007", "-1", "9007199254740991", "9007199254740992", "99999999999999999999")
	}
	return "k" + strconv.Itoa(g.IntN(25))
}

func (g gen) value() string {
	switch g.IntN(12) {
	case 0, 1, 2:
		return strconv.Itoa(g.IntN(2000) - 1000)
	case 3:
		return g.of("", "0", "-0", "+1", " 1", "1 ", "01", "9223372036854775807", "-9223372036854775808", "9223372036854775808")
	case 4:
		return g.of("1.5", "-0.25", "3e3", "1e17", "0x10", "nan", "inf", ".5", "5.", "1e400", "1e5000", "abc", "0.1", "1e-20", "123456789.123456789")
	case 5:
		return strings.Repeat(g.of("a", "\x00", "\xff", "ab"), g.IntN(120))
	case 6:
		b := make([]byte, g.IntN(40))
		for i := range b {
			b[i] = byte(g.Uint32())
		}
		return string(b)
	case 7:
		return strings.Repeat("\xff", g.IntN(20))
	}
	b := make([]byte, g.IntN(30))
	for i := range b {
		b[i] = "abcd\r\n"[g.IntN(6)]
	}
	return string(b)
}

// number is an argument where a number belongs.
func (g gen) number() string {
	switch g.IntN(12) {
	case 0:
		return g.of("", "a", "1.0", "+1", "01", " 1", "-0", "0x1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616")
	case 1, 2:
		return g.of("0", "-1", "1")
	}
	return strconv.Itoa(g.IntN(260) - 80)
}

func (g gen) float() string {
	if g.IntN(3) > 0 {
		return strconv.FormatFloat(float64(g.IntN(20000)-10000)/float64([]int{1, 2, 8, 10, 100, 1000}[g.IntN(6)]), 'g', -1, 64)
	}
	return g.value()
}

// seconds is a relative time far from now or wrong; two are hardly ever equal.
func (g gen) seconds() string {
	if g.IntN(5) == 0 {
		return g.of("0", "-1", "-5", "a", "", "1.5", "9223372036854775807", "9223372036854775", "-9223372036854775808", "-9223372036854776", "9223372036854776")
	}
	return strconv.Itoa(1_000 + g.IntN(9_000_000))
}

func (g gen) millis() string {
	if g.IntN(5) == 0 {
		return g.seconds()
	}
	return strconv.Itoa(1_000_000 + g.IntN(2_000_000_000))
}

// date is an absolute time in seconds, far from now.
func (g gen) date() string {
	if g.IntN(4) == 0 {
		return g.of("1", "0", "-1", "1000000000", "x", "9223372036854775807")
	}
	return strconv.FormatInt(time.Now().Unix()+1_000+g.Int64N(9_000_000), 10)
}

func (g gen) dateMillis() string {
	if g.IntN(4) == 0 {
		return g.date()
	}
	return strconv.FormatInt(time.Now().UnixMilli()+1_000_000+g.Int64N(9_000_000_000), 10)
}

func (g gen) timed() []string {
	switch g.IntN(4) {
	case 0:
		return []string{g.of("EX", "ex"), g.seconds()}
	case 1:
		return []string{"PX", g.millis()}
	case 2:
		return []string{"EXAT", g.date()}
	}
	return []string{"pxat", g.dateMillis()}
}

// options picks some of the option groups made by pick.
func (g gen) options(most int, pick func() []string) (all []string) {
	for n := g.IntN(most + 1); n > 0; n-- {
		all = append(all, pick()...)
	}
	return all
}

func (g gen) setOptions() []string {
	return g.options(3, func() []string {
		switch g.IntN(8) {
		case 0, 1:
			return []string{g.of("NX", "XX", "xx")}
		case 2:
			return []string{"GET"}
		case 3:
			return []string{"KEEPTTL"}
		case 4:
			return []string{g.of("PERSIST", "EX", "", "bad")}
		}
		return g.timed()
	})
}

func (g gen) getexOptions() []string {
	return g.options(2, func() []string {
		switch g.IntN(6) {
		case 0, 1:
			return []string{"PERSIST"}
		case 2:
			return []string{g.of("KEEPTTL", "NX", "PX", "")}
		}
		return g.timed()
	})
}

func (g gen) pattern() string {
	return g.of("*", "k*", "k?", "k[0-5]", "k[^1-3]", "k[5-0]", "?", "[0-9]*", "\\k1", "k1\\", "*1*", "k[", "k[1", "k[\\1]", "k[a-", "", "**1", "nokey", "[^k]*", "k[1-3]*", "K*")
}

func (g gen) bitOffset() string {
	if g.IntN(8) == 0 {
		return g.of("-1", "a", "4294967296", "9223372036854775807", "1.5")
	}
	return strconv.Itoa(g.IntN(900))
}

func (g gen) scanOptions() []string {
	return g.options(3, func() []string {
		switch g.IntN(6) {
		case 0, 1:
			return []string{"MATCH", g.pattern()}
		case 2, 3:
			return []string{"COUNT", g.of("1", "10", "1000", "3", "0", "-1", "a")}
		case 4:
			return []string{"TYPE", g.of("string", "STRING", "list", "hash")}
		}
		return []string{g.of("bad", "MATCH", "COUNT")}
	})
}

func (g gen) keys(most int) (all []string) {
	for n := 1 + g.IntN(most); n > 0; n-- {
		all = append(all, g.key())
	}
	return all
}

func (g gen) pairs(most int) (all []string) {
	for n := 1 + g.IntN(most); n > 0; n-- {
		all = append(all, g.key(), g.value())
	}
	if g.IntN(20) == 0 {
		all = append(all, g.key())
	}
	return all
}

// command makes one command.
func (g gen) command() []string {
	k := g.key()
	with := func(first []string, more ...string) []string { return append(first, more...) }
	switch g.IntN(52) {
	case 0, 1, 2, 3:
		return with([]string{"SET", k, g.value()}, g.setOptions()...)
	case 4:
		return []string{"GET", k}
	case 5:
		return with([]string{"MGET"}, g.keys(4)...)
	case 6:
		return with([]string{"MSET"}, g.pairs(3)...)
	case 7:
		return with([]string{"MSETNX"}, g.pairs(2)...)
	case 8:
		return []string{"SETNX", k, g.value()}
	case 9:
		return []string{"SETEX", k, g.seconds(), g.value()}
	case 10:
		return []string{"PSETEX", k, g.millis(), g.value()}
	case 11:
		return []string{"GETSET", k, g.value()}
	case 12:
		return []string{"GETDEL", k}
	case 13, 14:
		return with([]string{"GETEX", k}, g.getexOptions()...)
	case 15, 16:
		return []string{"APPEND", k, g.value()}
	case 17:
		return []string{"STRLEN", k}
	case 18:
		return []string{g.of("GETRANGE", "SUBSTR"), k, g.number(), g.number()}
	case 19, 20:
		off := g.number()
		if g.IntN(10) == 0 {
			off = g.of("600000000", "9223372036854775807", "3000")
		}
		return []string{"SETRANGE", k, off, g.value()}
	case 21:
		return []string{g.of("INCR", "DECR"), k}
	case 22:
		return []string{g.of("INCRBY", "DECRBY"), k, g.number()}
	case 23, 24:
		return []string{"INCRBYFLOAT", k, g.float()}
	case 25, 26:
		return []string{"SETBIT", k, g.bitOffset(), g.of("0", "1", "1", "2", "-1", "a")}
	case 27:
		return []string{"GETBIT", k, g.bitOffset()}
	case 28, 29:
		return with([]string{"BITCOUNT", k}, g.bitRange()...)
	case 30, 31, 32:
		return with([]string{"BITPOS", k, g.of("0", "1", "0", "1", "2", "x")}, g.bitRange()...)
	case 33:
		return with([]string{"LCS", k, g.key()}, g.options(3, func() []string {
			if g.IntN(3) == 0 {
				return []string{"MINMATCHLEN", g.number()}
			}
			return []string{g.of("LEN", "IDX", "IDX", "WITHMATCHLEN", "bad", "MINMATCHLEN")}
		})...)
	case 34:
		return with([]string{g.of("DEL", "UNLINK", "EXISTS", "TOUCH")}, g.keys(3)...)
	case 35:
		return []string{"TYPE", k}
	case 36, 37:
		return []string{g.of("RENAME", "RENAMENX"), k, g.key()}
	case 38, 39:
		return with([]string{"COPY", k, g.key()}, g.options(2, func() []string {
			return [][]string{{"REPLACE"}, {"REPLACE"}, {"DB", "0"}, {"DB", "a"}, {"DB", "-1"}, {"DB", "99"}, {"DB"}, {"bad"}}[g.IntN(8)]
		})...)
	case 40, 41, 42, 43:
		conditions := g.options(2, func() []string { return []string{g.of("NX", "XX", "GT", "LT", "gt", "bad\r\n")} })
		switch g.IntN(4) {
		case 0:
			return with([]string{"EXPIRE", k, g.seconds()}, conditions...)
		case 1:
			return with([]string{"PEXPIRE", k, g.millis()}, conditions...)
		case 2:
			return with([]string{"EXPIREAT", k, g.date()}, conditions...)
		}
		return with([]string{"PEXPIREAT", k, g.dateMillis()}, conditions...)
	case 44, 45:
		return []string{g.of("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"), k}
	case 46:
		return []string{"PERSIST", k}
	case 47:
		return with([]string{"SCAN", g.of("0", "0", "0", "a", "-1", "")}, g.scanOptions()...)
	case 48:
		return []string{"KEYS", g.pattern()}
	case 49:
		return []string{"RANDOMKEY"}
	case 50:
		return with([]string{"OBJECT", g.of("ENCODING", "ENCODING", "encoding", "BAD")}, k)
	}
	return with([]string{"MEMORY", g.of("USAGE", "usage", "BAD"), k}, g.options(1, func() []string {
		return [][]string{{"SAMPLES", g.number()}, {"SAMPLES"}, {"bad", "1"}}[g.IntN(3)]
	})...)
}

func (g gen) bitRange() (all []string) {
	for n := g.IntN(3); n > 0; n-- {
		all = append(all, g.number())
	}
	if len(all) == 2 && g.IntN(2) == 0 {
		all = append(all, g.of("BIT", "bit", "BYTE", "bad"))
	}
	if len(all) == 3 && g.IntN(20) == 0 {
		all = append(all, "more")
	}
	return all
}

// brief is a command that sets a key to expire within 20 ms.
func (g gen) brief() []string {
	n := fmt.Sprint(1 + g.IntN(20))
	switch g.IntN(4) {
	case 0:
		return []string{"PSETEX", g.key(), n, g.value()}
	case 1:
		return []string{"PEXPIRE", g.key(), n}
	case 2:
		return []string{"GETEX", g.key(), "PX", n}
	}
	return []string{"SET", g.key(), g.value(), "PX", n}
}
