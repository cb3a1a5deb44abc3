package wasm

import (
	"fmt"
	"strings"
	"testing"

	"shredder/pktproc/wire"
	"shredder/store"
)

// stringFeatures is features' counterpart for text: every function takes a key
// whose value is text, and a text.
const stringFeatures = `
const GREETING = 'grüße 😀', LONE = '\ud83d', PLAIN = 'plain';
export function literals(k, s) { return GREETING + LONE.length + PLAIN + '\ude00' + s + "ß".charCodeAt(0) }
export function halves(k, s) { return LONE + '\ude00' + (LONE + '\ude00' === '😀') + (LONE < 'ÿ') }
export function lone(k, s) { store.set('lone', LONE + s); return { a: LONE, b: store.text('lone'), c: LONE + 'x', [GREETING.length > 3 ? 1 : 2]: 1 } }
export function lonely(k, s) { store.set('lone' + LONE, LONE + s); return { a: LONE, b: store.text('lone\ufffd'), c: '\ude00' + LONE } }
export function stored(k, s) { const t = store.text(k); return t === undefined ? 'none' : t + '|' + t.length + '|' + s.length }
export function units(k, s) {
  let h = 0;
  for (let i = 0; i < s.length; i++) h = (h * 31 + s.charCodeAt(i)) | 0;
  return [h, s.charCodeAt(2), s.charCodeAt(-1), s.charCodeAt(1e9), s.charCodeAt(), s.charCodeAt(1.7)];
}
export function points(k, s) { return [s.codePointAt(0) ?? -1, s.codePointAt(1) ?? -1, s.codePointAt(100) ?? -1] }
export function characters(k, s) { return s.charAt(0) + s.charAt(99) + (s.at(-1) ?? '?') + (s[0] ?? '!') + (s[2] ?? '!') + (s.at(1) ?? '') }
export function parts(k, s) {
  return s.slice(1) + ':' + s.slice(-3) + ':' + s.slice(1, -1) + ':' + s.slice(2, 1) + ':' + s.substring(3, 1) + ':' + s.substring(-5, 2) +
    ':' + s.substr(-3, 2) + ':' + s.substr(1) + ':' + s.substr(1, 1e9) + ':' + s.slice(NaN, 2.9) + ':' + s.slice(0, undefined);
}
export function searches(k, s) {
  return [s.indexOf('l'), s.indexOf('😀'), s.lastIndexOf('l'), s.lastIndexOf(''), s.indexOf('', 3), s.indexOf('l', -5), s.includes('ll'), s.includes('\ude00'),
    s.startsWith('he'), s.startsWith('l', 2), s.endsWith('o'), s.endsWith('l', 4), s.lastIndexOf('l', 2), s.lastIndexOf('o', NaN), s.indexOf('zz', 99), s.startsWith(''), s.includes(s)];
}
export function trims(k, s) { const t = ' \n\ufeff' + s + '\u00a0\t '; return [t.trim(), t.trimStart(), t.trimEnd(), ('  ' + PLAIN + ' ').trim()] }
export function cases(k, s) { return s.toUpperCase() + s.toLowerCase() + 'ΑΣ İß'.toLowerCase() + 'ßﬁ'.toUpperCase() }
export function pads(k, s) { return s.padStart(12) + s.padEnd(15, 'ab') + s.padStart(20, 'é😀') + s.padEnd(2) + s.padEnd(30, '') + String(7).padStart(3, '0') }
export function repeats(k, s) { return s.repeat(3) + s.repeat(0) + '-'.repeat(70).length + s.repeat(2.9) }
export function repeatNegative(k, s) { return s.repeat(-1) }
export function replaced(k, s) { return s.replace('l', '[$&$$]') + s.replaceAll('l', "<$'>") + s.replaceAll('é', '$` + "`" + `') + s.replace('zz', 'y') + s.replaceAll('😀', 'smile') }
export function joined(k, s) { return s.concat('a', s, 1, true) + ` + "`${s}-${s.length}-${1.5}${null}`" + ` + ` + "`${s}${s}`.length" + ` }
export function compared(k, s) { const t = store.text(k) ?? ''; return [s < t, s > t, s <= s, s === t, s !== 'é', t >= 'hello', s == t, '2' < '10', '\uffff' < '😀'] }
export function numbers(k, s) { return [Number(s), +s, parseInt(s), parseFloat(s), parseInt(s, 16), s * 2, Number('12'), parseInt('0x1f'), parseInt('-12px'), parseFloat('3.5e2x'), parseFloat('.5.'), parseFloat('-Infinityx'),
  parseInt('zz', 36), parseInt(' 42 '), parseInt('99999999999999999999'), parseInt(''), parseInt('1', 1), parseInt(null, 36), parseFloat('1e'), parseFloat('-'), Number('  \n'), Number('\u00a05')] }
export function texts(k, s) { return [String(s.length), (255).toString(16), (0.1).toString(3), (-7.25).toString(2), s.length.toString(), (1.005).toFixed(2), (1e21).toFixed(2), (-1.5).toFixed(0), (0.5).toFixed(), (0 / s.length).toString(7), (12).toFixed(10)] }
export function radix(k, s) { return (5).toString(s.length) }
export function fixed(k, s) { return (5).toFixed(s.length * 20) }
export function codes(k, s) { return String.fromCharCode(72, 105) + String.fromCharCode(0x263a) + String.fromCharCode(65536 + 65) + String.fromCharCode(0xd83d, 0xde00) + String.fromCharCode() + String.fromCharCode(s.length + 100) }
export function each(k, s) { let out = '', n = 0; for (const c of s) { out = c + out; n++ } return out + n }
export function switched(k, s) { switch (s) { case 'hello': return 1; case 'é': return 2; case '😀': return 3; default: return 4 } }
export function keyed(k, s) {
  const a = store.set('k:' + s, s), b = store.text('k:' + s), c = store.has(s), d = store.size('k:' + s);
  return { a: a > 0, b, c, d, v: store.version('k:' + s) > 0, gone: store.delete('k:' + s) };
}
export function logged(k, s) { console.log(s, GREETING, LONE, s.length, store.text(k)); return s }
export function thrown(k, s) { throw new Error(s + GREETING) }
export function thrownWide(k, s) { throw new TypeError('grüße') }
export function thrownLong(k, s) { throw 'é'.repeat(400) + s }
export function json(k, s) { return { s, t: store.text(k), é: [s, GREETING, LONE, 'a"\n\u0001'] } }
export function mixed(k, s) { let u = s.length > 3 ? 1 : undefined; let b = s.length > 4 ? true : null; return ` + "`${u} ${b} ${s.length > 2 ? 1.5 : false}`" + ` }
export function split(k, s) { const p = s.split('l'); let n = 0; for (const x of p) n += x.length; return { p, n, words: s.split(' '), units: s.split(''), some: s.split('l', 2), none: s.split('o', 0), all: s.split(), wide: s.split('é').length, joined: s.split(' ').join('-') } }
export function nothing(k, s) { return s.slice(0, 5).replaceAll('', '-') + s.slice(0, 5).replaceAll('', "$$<$` + "`" + `>$'$&$x") + s.replace('', 'x') }
export function long(k, s) { const t = s.repeat(40); return t.length + t.indexOf('x') + t.toUpperCase().length + t.slice(3, 99).length + (t + t).length + ` + "`${t}.${t}`.length" + ` + (t < t + 'a' ? 1 : 0) + t.trim().length + t.concat(t, t).length + t.codePointAt(3) }
export function identity(k, s) { return request.tenant + request.id + request.tenant.length }
export function cut(k, s) { const t = store.text(k) ?? ''; const at = t.indexOf(' '); return at < 0 ? t : t.slice(at + 1) + t.slice(0, at) }
`

// stringArguments are texts of every kind: ASCII, Latin-1, beyond 2^16, numbers.
var stringArguments = []string{"", "a", "hello", "12.5", " -0x1f", "é", "héllo wörld", "😀", "a😀b", "hello 😀 you", "\u2028x", "ΑΣ", "0x1F", "1e3", "日本語テキスト", strings.Repeat("lo é", 30), strings.Repeat("hello ", 20)}

func TestStringsOnBothTiers(t *testing.T) {
	b := newTiers(t, stringFeatures)
	b.limits.Fuel = 200_000
	values := []string{"hello", "", "héllo\xff\xfe w\xc3", "plain text", "日本 語", strings.Repeat("é", 100), strings.Repeat("x", 100)}
	for n, text := range values {
		b.Set(store.BytesKey(fmt.Append(nil, "t", n)), []byte(text))
	}
	_, names := blank(stringFeatures)
	for _, name := range names {
		for n, s := range stringArguments {
			for _, k := range []int{n % len(values), (n + 3) % (len(values) + 1)} {
				args := wire.AppendString(wire.AppendString(nil, fmt.Sprint("t", k)), s)
				b.Call(name, args)
				if t.Failed() {
					t.Fatalf("%s(t%d, %q)", name, k, s)
				}
			}
		}
	}
	if len(b.refusals) > 1 { // lone has a computed name
		t.Errorf("%d functions are refused: %v", len(b.refusals), b.refusals)
	}
	t.Logf("%d calls ran compiled, %d did not", b.ran[1], b.ran[0])
}
