package wasm

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"shredder/pktproc/wire"
	"shredder/store"
)

// valueFeatures take JSON apart whose shape nobody knows.
const valueFeatures = `
export function whole(k) { return store.json(k) }
export function typed(k) { const v = store.json(k); return typeof v + (v === undefined) + (v === null) + (v ? 'truthy' : 'falsy') }
export function field(k) { const v = store.json(k); if (v === undefined || v === null) return 'none'; return v.name ?? 'unnamed' }
export function deep(k) { return store.json(k)?.address?.city ?? 'nowhere' }
export function sum(k) {
  const v = store.json(k);
  if (!v || typeof v !== 'object' || typeof v.items !== 'object') return -1;
  let total = 0, n = 0;
  for (const item of v.items) { total += item.price * (item.count ?? 1); n++ }
  return { total, n, first: v.items[0], length: v.items.length, missing: v.items[100] };
}
export function indexed(k) {
  const v = store.json(k);
  if (!v?.items) return 0;
  let out = 0;
  for (let i = 0; i < v.items.length; i++) if (v.items[i].count > 1) out += v.items[i].count;
  return out;
}
export function text(k) { const v = store.json(k); return String(v?.name) + ` + "`<${v?.age}>`" + ` + (v?.name === 'Zoë') + (v?.age === 41) + (v?.ok === true) + (v?.nil === null) }
export function compared(k) { const v = store.json(k); return v?.age > 40 ? 'old' : v?.age <= 40 ? 'young' : 'ageless' }
export function plus(k) { const v = store.json(k); return [1 + (v?.age ?? 0), (v?.name ?? 'x') + '!', -(v?.age ?? 1)] }
export function added(k) { const v = store.json(k); return v.name + v.name }
export function again(k) { const v = store.json(k); return JSON.stringify({ v, n: 1, list: [v?.items, v?.name, 'é'], u: v?.none }) }
export function plain(k) { return JSON.stringify(store.json(k) ?? 'none') + JSON.stringify([k, { a: 1.5, b: null }]) }
export function strings(k) { return [JSON.stringify('a"é\n'), JSON.stringify(1.5), JSON.stringify(null), JSON.stringify(true), JSON.stringify(undefined) === undefined] }
export function parsed(k) { const t = store.text(k); return t === undefined ? 'none' : JSON.parse(t) }
export function saved(k) { const v = store.json(k); const r = { name: v?.name ?? 'new', visits: +(v?.visits ?? 0) + 1 }; store.set('saved', JSON.stringify(r)); return store.json('saved').visits + (store.text('saved') ?? '').length }
export function keyed(k) { const v = store.json(k); const id = v?.age; if (id === undefined) return 'none'; store.set('user:' + id, v.name ?? 'nobody'); return [store.text('user:' + id) ?? '', store.has(id), store.has(v.name ?? 'nobody')] }
export function badKey(k) { const v = store.json(k); return store.has(v?.items) }
export function badValue(k) { const v = store.json(k); store.set('bad', v?.ok); return 1 }
export function dynamic(k) { const v = store.json(k); const names = ['name', 'age', 'none', 'b']; let out = ''; for (const n of names) out += String(v?.[n] ?? '-') + ';'; return out }
export function characters(k) { const v = store.json(k); return typeof v?.name === 'string' ? v.name.length + v.name.toUpperCase() + v.name[0] + v.name.charCodeAt(0) + v.name[99] : 'none' }
export function same(k) { const v = store.json(k), w = store.json(k); return [v === w, v === v, v?.name === w?.name, v?.age === w?.age, v?.items === w?.items, v?.items === v?.items] }
export function mixed(k) { let best = store.json(k)?.age; if (best === undefined) best = 7; if (best === null) best = 'null'; return best }
export function largest(k) { const v = store.json(k); if (typeof v?.items !== 'object') return undefined; let best = undefined; for (const x of v.items) if (best === undefined || x.price > best.price) best = x; return best }
export function echo(v) { return v }
export function argument(v) { return [typeof v === 'object' && v !== null ? v.name ?? 'x' : v, v?.items ?? 0] }
export function safe(k) { try { const v = JSON.parse(store.text(k) ?? 'x'); return typeof v } catch (e) { return e.message + (e instanceof SyntaxError) } }
export function several(k) { const v = store.json(k); if (v === undefined) return { none: true }; if (v === null) return 'null'; return v }
export function maths(k) { const v = store.json(k); const a = v?.age ?? 1; return [a * 2, a - 1, a / 2, a % 7, Math.floor(a), Math.max(a, 3), a | 0, -a, Number(a)] }
export function logic(k) { const v = store.json(k); if (v && v.ok && !v.nil) return v.ok; return v?.ok || v?.nil || 'neither' }
`

var jsonTexts = []string{`{"name":"Zoë","age":41,"ok":true,"nil":null,"items":[{"price":2.5,"count":2},{"price":1,"sku":"a"},{"price":-0}],"address":{"city":"Köln"}}`,
	`{"name":"plain","age":"41","ok":false,"items":[]}`, `[1,2,{"a":[]}]`, `"text"`, `17`, `-0`, `1e400`, `true`, `null`, ``, `{`, `[1,]`, `{"a":1}}`, `{"a" 1}`, `nul`, `01`, `"\ud83d\ude00\ud83d x\u00e9\/"`, "\"\x01\"",
	`{"b":1,"10":2,"2":3,"a":4,"b":5,"02":6}`, ` { "items" : [ ] , "age" : null } `, `{"name":{"a":1},"age":[1],"items":{"length":3}}`, "{\"name\":\"\xff\",\"age\":1.5}",
	`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"name":"big","age":12,"a":13}`, `{"name":"","age":0,"ok":0,"items":[{"price":1,"count":3},{"price":"2"}]}`, `"unterminated`, `{"name":"toString"}`, `[[[[[[]]]]]]`}

func TestValuesOnBothTiers(t *testing.T) {
	_, names := blank(valueFeatures)
	for _, slice := range []int64{0, 3} {
		b := newTiers(t, valueFeatures)
		b.slice = slice
		for n, text := range jsonTexts {
			b.Set(store.BytesKey(fmt.Append(nil, "j", n)), []byte(text))
		}
		for _, name := range names {
			for n, text := range jsonTexts {
				args := wire.AppendString(nil, fmt.Sprint("j", n))
				if name == "echo" || name == "argument" {
					if !utf8.ValidString(text) {
						continue // no argument at all
					}
					args = wire.AppendJSON(nil, []byte(text))
				}
				b.Call(name, args)
				if t.Failed() {
					t.Fatalf("%s(%s)", name, text)
				}
			}
		}
		for name, why := range b.refusals {
			t.Logf("%s: %s", name, why)
		}
		t.Logf("%d calls ran compiled, %d did not", b.ran[1], b.ran[0])
		if len(b.refusals) > 0 {
			t.Errorf("%d functions are refused", len(b.refusals))
		}
	}
}
