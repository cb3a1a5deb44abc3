package interp

import (
	"testing"

	"shredder/jit"
)

// TestComputedNames: a builtin reached by a computed name is guarded, however
// the name is made and whatever the library did before.
func TestComputedNames(t *testing.T) {
	const padding = "export function f(k) {"
	for name, source := range map[string]string{
		"string":       padding + `return 'x'[k + 'eat'](2 ** 30).length }`,
		"object":       padding + `return 'x'[{ toString() { return k + 'eat' } }](2 ** 30).length }`,
		"array key":    padding + `return 'x'[[k + 'eat']](2 ** 30).length }`,
		"optional":     padding + `return 'x'?.[k + 'eat'](2 ** 30).length }`,
		"global":       padding + `String = { prototype: {} }; return 'x'[k + 'eat'](2 ** 30).length }`,
		"assigned":     padding + `Object.assign(String.prototype, { ['re' + 'place']: 1 }); return 'x'[k + 'eat'](2 ** 30).length }`,
		"frozen":       padding + `Object.freeze(String.prototype); return 'x'[k + 'eat'](2 ** 30).length }`,
		"destructured": padding + `const { [k + 'eat']: g } = 'x'; return g.call('x', 2 ** 30).length }`,
		"pattern":      padding + `let g; ({ [k + 'eat']: g } = 'x'); return g.call('x', 2 ** 30).length }`,
		"super":        `class A extends String { g(k) { return super[k + 'eat'](2 ** 30).length } } ` + padding + `return new A('x').g(k) }`,
		"static":       padding + `return Array[k.slice(0, 0) + 'fr' + 'om']({ length: 2 ** 31 }).length }`,
		"constructor":  padding + `return new ([][k.slice(0, 0) + 'const' + 'ructor'])(2 ** 31).fill(0).length }`,
		"deep":         `let n = 0; function g(k) { try { return g(k) } catch (e) {} } ` + padding + `return h(k, 252) } function h(k, d) { return d > 0 ? h(k, d - 1) : [...'x'[k + 'eat'](2 ** 30)].length }`,
		"iterator":     padding + `const a = [1, 2]; a[k] = 1; const s = 'ab'['sl' + 'ice'](0); let b = [s]; for (;;) b = [...b, ...b] }`,
		"written":      padding + `const o = {}; o[k] = 1; return 'x'[k + 'eat'](2 ** 30).length }`,
	} {
		b := newBed(t, source)
		if out, _ := b.call("f", always, "rep"); out.Status != jit.Limit && out.Status != jit.Fuel {
			t.Errorf("%s: %v %s", name, out.Status, out.Message)
		}
	}
	b := newBed(t, padding+`return [][k](function* () {}) } export function code(k) { return (() => 1)[k]('return 1')() }`)
	if out, _ := b.call("code", always, "constructor"); out.Status != jit.Exception || string(out.Message) != "EvalError: code cannot be made from text here" {
		t.Errorf("%v %s", out.Status, out.Message)
	}
}

// TestComputedNamesAreNames: looking at a name changes nothing else.
func TestComputedNamesAreNames(t *testing.T) {
	b := newBed(t, `
class A { get(k) { return 'A' + k } }
class B extends A { get(k) { return super[k]('b') } }
export function all(k) {
  const o = { [k]: 1 };
  o[k] += 1; o[k]++;
  const before = o[k];
  [o[k]] = [7];
  for (o[k] of [8, 9]);
  const after = o[k], missing = o?.['no' + k] ?? 'none';
  return [before, after, missing, delete o[k], k in o, [3, 4][k.length - 1], new B().get('get'), [1, 2]['map']((x) => x * 2)].join();
}
export function builtin(k) { return [1, 2, 3][k]((x) => x > 1).length }
`)
	b.want(`"3,9,none,true,false,3,Ab,2,4"`, "all", "x")
	b.want("2", "builtin", "filter")
	b.want(`"3,9,none,true,false,3,Ab,2,4"`, "all", "y")
	b.want("3", "builtin", "map")
}
