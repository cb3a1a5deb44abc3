package wasm

// The part of the generator that writes objects, maps, patterns and exceptions.

// objectNumber is a number that comes from an object.
func (g *generator) objectNumber(d int) string {
	switch g.r.IntN(4) {
	case 0:
		if len(g.recs) > 0 {
			v := g.pick(g.recs...)
			return g.pick(v+".a", "("+v+".a += "+g.number(d-1)+")", v+".l.length", v+".s.length", "("+v+".a++)", "({ ..."+v+" }).a")
		}
	case 1:
		if len(g.rows) > 0 {
			v := g.pick(g.rows...)
			return g.pick(v+".length", v+".reduce((t, r) => t + r.a, 0)", "("+v+".find((r) => r.a > "+g.number(d-1)+")?.b ?? 1)",
				"("+v+"["+g.index(d-1)+"]?.a ?? 2)", v+".map((r, i) => r.b + i).length", v+".filter(({ a }) => a < 3).length",
				"("+v+".at(-1)?.b ?? 0)", v+".findIndex(r => r.b === "+g.number(d-1)+")", "("+v+".pop()?.a ?? 5)")
		}
	case 2:
		if len(g.maps) > 0 {
			v := g.pick(g.maps...)
			return g.pick(v+".size", "("+v+".get(+"+g.number(d-1)+") ?? 3)", "("+v+".delete(+"+g.number(d-1)+") ? 1 : 0)",
				v+".set(+"+g.number(d-1)+", +"+g.number(d-1)+").size", "("+v+".has(+"+g.number(d-1)+") ? 4 : 5)")
		}
	default:
		if len(g.words) > 0 {
			v := g.pick(g.words...)
			return g.pick(v+".length", v+".join('-').length", v+".push('w' + "+g.index(d-1)+")", v+".indexOf('w1')", "("+v+".shift()?.length ?? 6)")
		}
	}
	return g.number(0)
}

func (g *generator) objectStatement() {
	switch g.r.IntN(9) {
	case 0:
		v := g.fresh("r")
		g.line("const %s = { a: +%s, s: 'x' + %s, l: [+%s] };", v, g.number(1), g.index(1), g.number(1))
		g.recs = append(g.recs, v)
	case 1:
		v := g.fresh("rows")
		g.line("const %s = [{ a: +%s, b: +%s }];", v, g.number(1), g.number(1))
		g.rows = append(g.rows, v)
	case 2:
		v := g.fresh("m")
		g.line("const %s = new Map(); %s.set(+%s, +%s);", v, v, g.number(1), g.number(1))
		g.maps = append(g.maps, v)
	case 3:
		v := g.fresh("words")
		g.line("const %s = ['w' + %s, 'b'];", v, g.index(1))
		g.words = append(g.words, v)
	case 4:
		if len(g.rows) > 0 {
			g.line("%s.push({ a: +%s, b: +%s });", g.pick(g.rows...), g.number(1), g.number(1))
		}
	case 5:
		if len(g.rows) > 0 {
			v := g.pick(g.rows...)
			g.line(g.pick("%s.sort((p, q) => p.a < q.a ? -1 : p.a > q.a ? 1 : 0);", "%s.reverse();", "%s.forEach((r) => { r.b = r.a });", "%s.splice(1, 1);"), v)
		}
	case 6:
		if len(g.maps) > 0 {
			v := g.pick(g.maps...)
			g.line("for (const [k, x] of %s) { if (k > 5) break; %s.set(x, +%s); if (%s.size > 9) break; }", v, v, g.number(1), v)
		}
	case 7:
		if len(g.words) > 0 {
			v := g.pick(g.words...)
			g.line(g.pick("%s.sort();", "%s.reverse();", "%s.unshift('u', 'w1');", "%s.fill('z');"), v)
		}
	case 8:
		if len(g.rows) > 0 {
			g.line("for (const { a, b } of %s) { if (a > b) break; %s; }", g.pick(g.rows...), g.number(1))
		}
	}
}

// try writes exceptions that are caught, thrown on or let go.
func (g *generator) try() {
	out := g.fresh("v")
	g.line("let %s = 0;", out)
	g.line("try {")
	g.block(1 + g.r.IntN(2))
	g.line("  if (%s) throw new %s('t' + %s);", g.condition(1), g.pick("Error", "RangeError", "TypeError"), g.index(1))
	if g.calls > 0 {
		g.line("  %s = +f%d(%s, 1);", out, g.r.IntN(g.calls), g.number(1))
	}
	kind := g.r.IntN(5)
	if kind != 4 {
		g.line("} catch (e) {")
		g.block(1)
		g.line("  %s = e.name.length;", out)
		if kind == 3 {
			g.line("  if (%s) throw e;", g.condition(1))
		}
	}
	if kind >= 2 {
		g.line("} finally {")
		g.line("  %s += 10;", out)
		g.block(1)
	}
	g.line("}")
	g.declare(out)
}

// pattern writes destructuring.
func (g *generator) pattern() {
	vars := g.variables()
	switch g.r.IntN(4) {
	case 0:
		if len(g.lists) > 0 {
			a, b, c := g.fresh("v"), g.fresh("v"), g.fresh("l")
			g.line("let [%s = 1, %s = %s, ...%s] = %s;", a, b, g.number(1), c, g.pick(g.lists...))
			g.declare(a)
			g.declare(b)
			g.lists = append(g.lists, c)
		}
	case 1:
		if len(g.recs) > 0 {
			a, s, l := g.fresh("v"), g.fresh("s"), g.fresh("l")
			g.line("let { a: %s, s: %s, l: %s } = %s;", a, s, l, g.pick(g.recs...))
			g.declare(a)
			g.texts, g.lists = append(g.texts, s), append(g.lists, l)
		}
	case 2:
		if len(vars) > 1 {
			a, b := g.pick(vars...), g.pick(vars...)
			if a != b {
				g.line("[%s, %s] = [+%s, +%s];", a, b, b, a)
			}
		}
	case 3:
		if len(g.lists) > 0 {
			v := g.fresh("l")
			g.line("const %s = [...%s, +%s];", v, g.pick(g.lists...), g.number(1))
			g.lists = append(g.lists, v)
		}
	}
}
