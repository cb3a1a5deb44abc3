package wasm

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"shredder/jit/interp"
	"shredder/pktproc/wire"
	"shredder/store"
)

// generator writes random programs over the compiled language. Every loop ends,
// and every value has a type that the generator knows, so that few programs are
// refused.
type generator struct {
	r     *rand.Rand
	out   strings.Builder
	depth int
	names int
	nums  [][]string // number variables in scope, block by block
	views []string   // typed arrays in scope, maybe not there
	arrs  []string   // arrays made by the function
	texts []string
	lists []string // arrays of numbers
	sets  []string
	funcs []string // closures of one number
	recs  []string // objects {a: number, s: text, l: array of numbers}
	rows  []string // arrays of objects {a, b: number}
	maps  []string // maps from numbers to numbers
	words []string // arrays of text
	calls int      // functions that may be called: f0 … f(calls−1)
	loops int
}

func (g *generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *generator) fresh(prefix string) string {
	g.names++
	return fmt.Sprint(prefix, g.names)
}

func (g *generator) variables() (all []string) {
	for _, s := range g.nums {
		all = append(all, s...)
	}
	return all
}

var literals = []string{"0", "1", "2", "3", "7", "-1", "-5", "10", "255", "256", "65536", "2147483647", "-2147483648", "4294967295",
	"4294967296", "9007199254740991", "-9007199254740991", "0.5", "-0.25", "1e21", "1.5e300", "3.75", "100", "1000"}

// number writes an expression that is a number.
func (g *generator) number(d int) string {
	vars := g.variables()
	if d <= 0 {
		if len(vars) > 0 && g.r.IntN(3) > 0 {
			return g.pick(vars...)
		}
		return "(" + g.pick(literals...) + ")"
	}
	switch g.r.IntN(32) {
	case 0, 1, 2:
		return fmt.Sprintf("(%s %s %s)", g.number(d-1), g.pick("+", "-"), g.number(d-1))
	case 3:
		return g.product(d - 1)
	case 4:
		return fmt.Sprintf("(%s %s %s)", g.number(d-1), g.pick("/", "%"), g.number(d-1))
	case 5, 6:
		return fmt.Sprintf("(%s %s %s)", g.small(d-1), g.pick("&", "|", "^", "<<", ">>", ">>>"), g.small(d-1))
	case 7:
		return fmt.Sprintf("(%s ? %s : %s)", g.condition(d-1), g.number(d-1), g.number(d-1))
	case 8:
		return fmt.Sprintf("(%s %s %s)", g.number(d-1), g.pick("&&", "||", "??"), g.number(d-1))
	case 9:
		return fmt.Sprintf("Math.%s(%s)", g.pick("abs", "floor", "ceil", "trunc", "sqrt", "sign", "round", "fround", "exp", "sin", "log", "cbrt"), g.number(d-1))
	case 10:
		return fmt.Sprintf("Math.%s(%s, %s)", g.pick("min", "max", "pow", "atan2", "imul"), g.small(d-1), g.small(d-1))
	case 11:
		return fmt.Sprintf("(%s%s)", g.pick("- ", "+ ", "~"), g.small(d-1))
	case 12:
		if len(vars) > 0 {
			v := g.pick(vars...)
			return g.pick("("+v+"++)", "(--"+v+")", "("+v+" += "+g.number(d-1)+")", "("+v+" = "+g.number(d-1)+")")
		}
	case 13, 14:
		if g.calls > 0 {
			return fmt.Sprintf("f%d(%s, %s)", g.r.IntN(g.calls), g.number(d-1), g.number(d-1))
		}
	case 15:
		return fmt.Sprintf("(store.%sAt(%s, %s) ?? %s)", g.pick("u8", "i16", "u32", "f64"), g.key(d-1), g.index(d-1), g.number(d-1))
	case 16:
		if len(g.views) > 0 {
			v := g.pick(g.views...)
			return fmt.Sprintf("(%s === undefined ? %s : %s)", v, g.number(d-1), g.pick(v+".length", v+"["+g.index(d-1)+"] | 0"))
		}
	case 17:
		if len(g.arrs) > 0 {
			v := g.pick(g.arrs...)
			return g.pick(v+".length", v+"["+g.index(d-1)+" & 3]")
		}
	case 18:
		if len(g.texts) > 0 {
			t := g.pick(g.texts...)
			return g.pick(t+".length", t+".charCodeAt("+g.index(d-1)+")", t+".indexOf("+g.text(1)+")", "("+t+".codePointAt("+g.index(d-1)+") ?? 3)",
				"Number("+g.text(1)+")", "parseInt("+g.text(1)+")", t+".lastIndexOf("+g.text(1)+", "+g.index(d-1)+")")
		}
	case 19:
		return fmt.Sprintf("(%s ? 1 : 0)", g.condition(d-1))
	case 20:
		return fmt.Sprintf("(store.size(%s) ?? -1)", g.key(d-1))
	case 22:
		if len(g.lists) > 0 {
			v := g.pick(g.lists...)
			return g.pick(v+".length", v+"["+g.index(d-1)+" & 1]", "("+v+".pop() ?? 4)", v+".push(+"+g.number(d-1)+")",
				v+".reduce((a, x) => a + x, "+g.number(d-1)+")", v+".indexOf(+"+g.number(d-1)+")")
		}
	case 23:
		if len(g.sets) > 0 {
			v := g.pick(g.sets...)
			return g.pick(v+".size", "("+v+".has(+"+g.number(d-1)+") ? 1 : 2)", v+".add(+"+g.number(d-1)+").size")
		}
	case 24, 25:
		if len(g.funcs) > 0 {
			return g.pick(g.funcs...) + "(" + g.number(d-1) + ")"
		}
	case 26:
		if len(g.views) > 0 {
			v := g.pick(g.views...)
			return fmt.Sprintf("(%s ? %s : 0)", v, g.pick(v+".reduce((a, x, i) => a + x * i, 1)", v+".findIndex(x => x > 3)", "("+v+".find(x => x < "+g.number(d-1)+") ?? 5)"))
		}
	case 27:
		return g.pick("(+("+g.json()+" ?? 3))", "("+g.json()+" === "+g.number(0)+" ? 1 : 0)", "("+g.json()+" ? 4 : 5)", "(store.json('json')?.n ?? 2) * 2", "store.json('json').list.length")
	case 30, 31:
		return g.objectNumber(d)
	case 21:
		return "store.incr('n" + g.pick("a", "b") + "', " + g.pick("1", "5", "-2") + ")"
	}
	return g.number(0)
}

// text writes an expression that is a string.
func (g *generator) text(d int) string {
	if d <= 0 {
		if len(g.texts) > 0 && g.r.IntN(2) > 0 {
			return g.pick(g.texts...)
		}
		return g.pick("'x'", "'l'", "'key:12'", "'grüße'", "'a😀b'", "'\\ud83d'", "'\\ude00 '", "''")
	}
	t := g.text(d - 1)
	switch g.r.IntN(10) {
	case 0:
		return fmt.Sprintf("(%s + %s)", t, g.text(d-1))
	case 1:
		return fmt.Sprintf("%s.%s(%s, %s)", t, g.pick("slice", "substring", "substr"), g.number(0), g.index(d-1))
	case 2:
		return t + g.pick(".substring(1)", ".repeat(3)", ".concat('é', 1)", ".charAt(1)")
	case 3:
		return fmt.Sprintf("%s.%s(%s, %s)", t, g.pick("replace", "replaceAll"), g.pick("'l'", "'e'", "'ü'"), g.text(d-1))
	case 4:
		return fmt.Sprintf("%s.%s(%s, %s)", t, g.pick("padStart", "padEnd"), g.index(d-1), g.text(d-1))
	case 5:
		return fmt.Sprintf("`${%s}-${%s}`", g.number(0), t)
	case 6:
		return fmt.Sprintf("(store.text(%s) ?? %s)", g.pick("'text'", "'wide'", "'none'"), t)
	case 7:
		return fmt.Sprintf("(%s ? %s : %s)", g.condition(0), t, g.text(d-1))
	case 8:
		return g.pick("String("+g.json()+")", "(typeof "+g.json()+")", "JSON.stringify("+g.json()+" ?? 7)", t+".split('l').join('-')")
	}
	return t
}

// json writes an expression that is a JSON value or undefined.
func (g *generator) json() string {
	v := fmt.Sprintf("store.json(%s)", g.pick("'json'", "'json'", "'none'"))
	return g.pick(v+"?.n", v+"?.s", v+"?.t", v+"?.none", v+"?.list?.["+g.index(0)+"]", "JSON.parse('[1,\"é\",null]')["+g.index(0)+"]", "JSON.parse('{\"a\":true}').a")
}

// product never gives −0, of which goja keeps the sign for −1 × 0 alone (docs/compiler.md);
// the sign would be seen in a quotient later on.
func (g *generator) product(d int) string {
	return fmt.Sprintf("(%s * %s + 0)", g.number(d), g.number(d))
}

// small is a number that fits 32 bits, where the tiers' own meaning agrees with
// the standard's (facts.md: goja's ToInt32 gives 0 from 2^63 up).
func (g *generator) small(d int) string { return "(" + g.number(d) + " % 4294967296)" }

func (g *generator) index(d int) string { return fmt.Sprintf("(%s & 7)", g.small(d)) }

func (g *generator) key(d int) string {
	switch g.r.IntN(4) {
	case 0:
		return g.pick("'text'", "'bytes'", "'none'", "'wide'", "'ключ'")
	case 1:
		return "'k' + " + g.index(d)
	}
	return g.index(d)
}

func (g *generator) condition(d int) string {
	if d <= 0 {
		return g.pick("true", "false", g.number(0)+" < "+g.number(0))
	}
	switch g.r.IntN(8) {
	case 0:
		return fmt.Sprintf("(%s && %s)", g.condition(d-1), g.condition(d-1))
	case 1:
		return fmt.Sprintf("(%s || %s)", g.condition(d-1), g.condition(d-1))
	case 2:
		return "!" + g.condition(d-1)
	case 3:
		return fmt.Sprintf("store.has(%s)", g.key(d-1))
	case 4:
		if g.r.IntN(3) == 0 {
			return fmt.Sprintf("%s.%s(%s)", g.text(1), g.pick("includes", "startsWith", "endsWith"), g.text(1))
		}
		return fmt.Sprintf("(%s %s %s)", g.text(1), g.pick("===", "<", ">=", "!=="), g.text(1))
	case 5:
		return "(" + g.number(d-1) + ")"
	}
	return fmt.Sprintf("(%s %s %s)", g.number(d-1), g.pick("<", ">", "<=", ">=", "===", "!==", "==", "!="), g.number(d-1))
}

func (g *generator) line(format string, args ...any) {
	g.out.WriteString(strings.Repeat("  ", g.depth+1))
	fmt.Fprintf(&g.out, format+"\n", args...)
}

func (g *generator) block(n int) {
	g.depth++
	g.nums = append(g.nums, nil)
	saved := *g
	for range n {
		g.statement()
	}
	g.nums = g.nums[:len(g.nums)-1]
	g.views, g.arrs, g.texts, g.lists, g.sets, g.funcs = saved.views, saved.arrs, saved.texts, saved.lists, saved.sets, saved.funcs
	g.recs, g.rows, g.maps, g.words = saved.recs, saved.rows, saved.maps, saved.words
	g.depth--
}

func (g *generator) declare(name string) {
	g.nums[len(g.nums)-1] = append(g.nums[len(g.nums)-1], name)
}

func (g *generator) statement() {
	if g.depth > 3 {
		g.line("%s;", g.number(1))
		return
	}
	switch g.r.IntN(26) {
	case 20, 21, 22:
		g.objectStatement()
	case 23:
		g.try()
	case 24, 25:
		g.pattern()
	case 16:
		v := g.fresh("l")
		g.line("const %s = [+%s, +%s];", v, g.number(1), g.number(1))
		g.lists = append(g.lists, v)
	case 17:
		v := g.fresh("t")
		g.line("const %s = new Set(); %s.add(+%s);", v, v, g.number(1))
		g.sets = append(g.sets, v)
	case 18:
		v := g.fresh("c")
		g.nums = append(g.nums, []string{v + "x"})
		body := g.number(2)
		g.nums = g.nums[:len(g.nums)-1]
		g.line("const %s = (%sx) => %s;", v, v, body)
		g.funcs = append(g.funcs, v)
	case 19:
		if list := append(append([]string{}, g.lists...), g.sets...); len(list) > 0 {
			g.line("for (const e of %s) { if (e > 9) break; %s; }", g.pick(list...), g.number(1))
		}
	case 0, 1:
		v := g.fresh("v")
		g.line("let %s = %s;", v, g.number(2))
		g.declare(v)
	case 2, 3:
		if vars := g.variables(); len(vars) > 0 {
			if v := g.pick(vars...); g.r.IntN(4) == 0 {
				g.line("%s = %s;", v, g.product(1))
			} else {
				g.line("%s %s %s;", v, g.pick("=", "+=", "-="), g.number(2))
			}
		}
	case 4, 5:
		g.line("if (%s) {", g.condition(2))
		g.block(1 + g.r.IntN(2))
		if g.r.IntN(2) == 0 {
			g.line("} else {")
			g.block(1 + g.r.IntN(2))
		}
		g.line("}")
	case 6, 7:
		g.loop()
	case 8:
		v := g.fresh("w")
		g.line("const %s = store.%s(%s);", v, g.pick("u8", "u16", "i32", "f64"), g.pick("1", "2", "3", "'bytes'"))
		g.views = append(g.views, v)
	case 9:
		v := g.fresh("a")
		g.line("const %s = new %s(%d);", v, g.pick("Float64Array", "Int32Array", "Uint8Array", "Uint16Array", "Float32Array"), 4+g.r.IntN(4))
		g.arrs = append(g.arrs, v)
	case 10:
		if len(g.arrs) > 0 {
			g.line("%s[%s & 3] %s %s;", g.pick(g.arrs...), g.small(1), g.pick("=", "+="), g.small(1))
		}
	case 11:
		v := g.fresh("s")
		g.line("const %s = %s + %s;", v, g.pick("'x'", "'key:'", "''"), g.pick(g.index(1), g.number(1), "'tail'", g.text(2)))
		g.texts = append(g.texts, v)
	case 12:
		g.line("switch (%s) {", g.index(1))
		for i := range 3 {
			g.line("case %d: {", i)
			g.block(1)
			g.line("}%s", g.pick("", " break;"))
		}
		g.line("default: %s;", g.number(1))
		g.line("}")
	case 13:
		g.line("store.set(%s, %s);", g.key(1), g.pick(append([]string{g.number(1), "'value'", g.text(1)}, g.arrs...)...))
	case 14:
		g.line("store.delete(%s);", g.key(1))
	case 15:
		if len(g.views) > 0 {
			g.line("for (const e of %s ?? new Uint8Array(0)) %s;", g.pick(g.views...), g.number(1))
		}
	}
}

func (g *generator) loop() {
	if g.loops >= 2 {
		return
	}
	g.loops++
	i := g.fresh("i")
	switch g.r.IntN(3) {
	case 0:
		g.line("for (%s %s = 0; %s < %d; %s++) {", g.pick("let", "var"), i, i, 1+g.r.IntN(6), i)
	case 1:
		g.line("let %s = %d; while (%s-- > 0) {", i, 1+g.r.IntN(5), i)
	case 2:
		g.line("L%s: for (let %s = 8; %s > 0; %s -= 2) {", i, i, i, i)
	}
	g.block(1 + g.r.IntN(3))
	if g.r.IntN(2) == 0 {
		g.line("  if (%s) %s;", g.condition(1), g.pick("break", "continue"))
	}
	g.line("}")
	g.loops--
}

// program writes two helper functions and the entry f2.
func program(seed uint64) string {
	g := &generator{r: rand.New(rand.NewPCG(seed, 1))}
	for i := range 3 {
		g.calls = i
		fmt.Fprintf(&g.out, "export function f%d(p, q%s) {\n", i, g.pick("", "", " = 3"))
		g.nums = [][]string{{"p", "q"}}
		for range 2 + g.r.IntN(4) {
			g.statement()
		}
		switch {
		case i == 2 && g.r.IntN(3) == 0:
			g.line("return { a: %s, b: [%s, %s], c: { d: %s } };", g.number(2), g.number(1), g.condition(1), g.number(1))
		case i == 2 && len(g.texts) > 0 && g.r.IntN(3) == 0:
			g.line("return %s;", g.text(2))
		case i == 2 && len(g.lists) > 0:
			g.line("return %s;", g.pick(g.lists...))
		default:
			g.line("return %s;", g.number(3))
		}
		g.out.WriteString("}\n")
		g.views, g.arrs, g.texts, g.lists, g.sets, g.funcs = nil, nil, nil, nil, nil, nil
		g.recs, g.rows, g.maps, g.words = nil, nil, nil, nil
	}
	return g.out.String()
}

// randomArgument is an encoded argument of any kind that functions take here.
func randomArgument(r *rand.Rand) []byte {
	switch r.IntN(6) {
	case 0:
		return wire.AppendDouble(nil, r.NormFloat64()*1e3)
	case 1:
		return wire.AppendInt(nil, r.Int64N(2*maxSafe)-maxSafe)
	case 2:
		return wire.AppendBool(nil, r.IntN(2) == 0)
	}
	return wire.AppendInt(nil, r.Int64N(40)-8)
}

func fillRandom(b *tiers, r *rand.Rand) {
	for k := range uint64(8) {
		if r.IntN(4) == 0 {
			continue
		}
		v := make([]byte, 8*r.IntN(4))
		for i := range v {
			v[i] = byte(r.Uint32())
		}
		b.Set(store.IntKey(k), v)
	}
	b.Set(store.BytesKey([]byte("bytes")), []byte{1, 2, 3, 4, 250, 251, 252, 253})
	b.Set(store.BytesKey([]byte("text")), []byte("hello wo"))
	b.Set(store.BytesKey([]byte("json")), []byte(`{"n":12.5,"s":"grüße","t":true,"list":[1,"2",null,false,7]}`))
	b.Set(store.BytesKey([]byte("wide")), []byte("größe 😀 xyz"))
	b.Set(store.BytesKey([]byte("na")), []byte("41"))
}

// gojaFails says that goja's compiler gives up on a program, as it does on some code
// that never runs (docs/compiler.md).
func gojaFails(source string) bool {
	_, err := interp.Compile([]byte(source), testLimits())
	return err != nil && strings.Contains(err.Error(), "Compiler bug")
}

// gojaDiffers says that a program may show what goja's string methods do to halves of
// surrogate pairs (docs/compiler.md), in which tier 1 follows it.
func gojaDiffers(source string) bool {
	return strings.Contains(source, `\ud`) && (strings.Contains(source, ".trim()") || strings.Contains(source, "Case()"))
}

// TestRandomPrograms compares the tiers on random programs, and both with Node
// where it is installed; SOAK=1 runs 100,000 or
// SOAK_PROGRAMS, SOAK_SEED says where to begin.
func TestRandomPrograms(t *testing.T) {
	count := 300
	if testing.Short() {
		count = 150
	}
	if os.Getenv("SOAK") != "" {
		count = 100_000
		if n, err := strconv.Atoi(os.Getenv("SOAK_PROGRAMS")); err == nil {
			count = n
		}
	}
	v8 := startNode(t)
	ran, all := 0, 0
	base, _ := strconv.ParseUint(os.Getenv("SOAK_SEED"), 10, 64)
	for seed := base; seed < base+uint64(count); seed++ {
		source := program(seed)
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { // so that its shards are closed
			if gojaFails(source) {
				t.Skip("goja does not compile it")
			}
			b := newTiers(t, source)
			r := rand.New(rand.NewPCG(seed, 2))
			fillRandom(b, r)
			opinion := newThird(b, source, "f2")
			for range 6 {
				args := append(randomArgument(r), randomArgument(r)...)
				b.Call("f2", args)
				opinion.remember(b, args)
			}
			if v8 != nil && !gojaDiffers(source) {
				opinion.compare(t, v8)
			}
			if t.Failed() {
				t.Logf("seed %d:\n%s\nrefused: %v", seed, source, b.refusals)
			}
			for _, why := range b.refusals {
				t.Logf("seed %d: %s", seed, why)
			}
			ran += b.ran[1]
			all += b.ran[0] + b.ran[1]
		})
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d of %d calls ran compiled", ran, all)
	if ran*10 < all*6 {
		t.Errorf("only %d of %d calls ran compiled", ran, all)
	}
}
