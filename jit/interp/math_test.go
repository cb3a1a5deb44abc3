package interp

import (
	"fmt"
	"math"
	"math/rand"
	"os"
	"os/exec"
	"testing"

	"shredder/jit/jsmath"
)

// TestMathIsOurs: Math and ** give the very bits of jsmath.
func TestMathIsOurs(t *testing.T) {
	source := "const all = {};"
	for name := range jsmath.Functions1 {
		source += fmt.Sprintf(" all.%s = Math.%s;", name, name)
	}
	b := newBed(t, source+`
export function one(name, x) { return all[name](x) }
export function spelled(x) { return Math.exp(x) }
export function pow(x, y) { return [Math.pow(x, y) === x ** y, x ** y].join() }
export function assigned(x, y) { let z = x; z **= y; return z }
export function text(x) { return 'a' + x ** 2 + 1 }
export function sign(x) { return typeof Math.sign(x) + Math.sign(x) }
export function object() { return { valueOf: () => 3 } ** 2 }
`)
	rng := rand.New(rand.NewSource(2))
	for name, f := range jsmath.Functions1 {
		for range 50 {
			x := (rng.Float64() - 0.5) * 4
			b.want(shown(encode(f(x))), "one", name, x)
		}
	}
	if jsmath.Exp(0.3) == math.Exp(0.3) {
		b.want("double 1.3498588075760032", "spelled", 0.3)
	}
	b.want(fmt.Sprintf("double %v", jsmath.Exp(1.7)), "spelled", 1.7)
	b.want(`"true,9.000000000000002"`, "pow", 1.0/3, -2)
	b.want(fmt.Sprintf("double %v", jsmath.Pow(100, -2)), "assigned", 100, -2)
	b.want(`"a91"`, "text", 3)
	b.want("9", "object")
	b.want(`"number0"`, "sign", false)
	b.want(`"number-1"`, "sign", "-7")
	b.want(`"numberNaN"`, "sign", "x")
}

// TestDateIsUTC runs itself where local time is not UTC.
func TestDateIsUTC(t *testing.T) {
	const zone = "XYZ+5" // five hours west, without a zone database
	if os.Getenv("SHREDDER_ZONE") == "" {
		for _, tz := range []string{zone, "America/New_York"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestDateIsUTC$")
			cmd.Env = append(os.Environ(), "TZ="+tz, "SHREDDER_ZONE=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("TZ=%s: %v\n%s", tz, err, out)
			}
		}
		return
	}
	b := newBed(t, `
export function f() {
  const d = new Date(2024, 5, 1, 12, 30);
  const set = new Date(0); set.setHours(7); set.setMonth(6);
  return [d.getTime() - Date.UTC(2024, 5, 1, 12, 30), d.getHours(), d.getTimezoneOffset(), Date.parse('2024-06-01T00:00') - Date.UTC(2024, 5, 1),
    set.toISOString(), String(new Date(0)), new Date(0).getDay(), new Date(request.now).getHours() === new Date(request.now).getUTCHours()].join('|');
}`)
	b.want(`"0|12|0|0|1970-07-01T07:00:00.000Z|Thu Jan 01 1970 00:00:00 GMT+0000 (UTC)|4|true"`, "f")
}

// TestDepartures holds what docs/functions.md lists.
func TestDepartures(t *testing.T) {
	b := newBed(t, `
export function zero(x) { return [Object.is(x * 0, -0), Object.is(-(0), -0), Object.is(0 / x, -0), Object.is(Math.round(-0.2), -0)].join() }
export function bits(x) { return [x | 0, (x % 4294967296) | 0].join() }
`)
	b.want(`"false,true,true,true"`, "zero", -5)
	b.want(`"0,2048"`, "bits", 0x1p63+2048)
	b.want(`"2048,2048"`, "bits", 0x1p62+2048)
}
