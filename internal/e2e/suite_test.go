package e2e

import (
	"fmt"
	"testing"

	"shredder/client"
	"shredder/jit"
)

// library is the functions that the suite calls.
const library = `
export function echo(value) { return value; }
export function fail(message) {
  throw new Error(message);
}
export function transfer(from, to, amount) {
  if (store.incr(from, -amount) < 0) throw new Error("not enough");
  return store.incr(to, amount);
}
export function large(size) { return new Uint8Array(size).fill(7); }
export function spin(key) {
  store.set(key, "half");
  for (;;);
}
export function turns(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += i;
  store.set("turned", sum);
  return sum;
}
export function seen() { return store.text("turned") === undefined ? "no" : store.text("turned"); }
export function bump(key) { return store.incr(key); }
export function read(key) { return store.get(key); }
export function log(text) { console.log(text); console.error("bad " + text); return request.tenant; }
export function sizes(keys) { return store.lengths(keys); }
`

// run is what a test of the suite is given: one server, reached at one address.
type run struct {
	*site
	host string
}

// dial opens a client of a tenant through lcore 0's port.
func (r run) dial(t *testing.T, tenant string) *client.Client {
	t.Helper()
	return dial(t, r.addr(r.host, 0), client.Options{Tenant: tenant})
}

// fresh is a client of a new tenant with the library above.
func (r run) fresh(t *testing.T) *client.Client {
	t.Helper()
	return r.dial(t, r.freshName(t))
}

func (r run) freshName(t *testing.T) string {
	t.Helper()
	spec := open("suite")
	spec.Limits = roomy()
	return r.tenant(t, spec, library)
}

// roomy are limits that no machine is too slow for.
func roomy() jit.Limits {
	l := jit.DevelopmentLimits()
	l.Fuel, l.DeadlineMillis, l.ResultSize = 1<<40, patience.Milliseconds(), 16<<20
	return l
}

// suite holds every test that runs over each kind of device and address.
var suite = []struct {
	name string
	test func(*testing.T, run)
}{
	{"keys", testKeys},
	{"conditions", testConditions},
	{"expiry", testExpiry},
	{"large", testLarge},
	{"batch", testBatch},
	{"atomic", testAtomic},
	{"scan", testScan},
	{"multiget", testMultiGet},
	{"calls", testCalls},
	{"exceptions", testExceptions},
	{"try", testTry},
	{"logs", testLogs},
	{"kill", testKill},
	{"limits", testLimits},
	{"versions", testVersions},
	{"prelude", testPrelude},
	{"bad library", testBadLibrary},
	{"large source", testLargeSource},
	{"roles", testRoles},
	{"delete tenant", testDeleteTenant},
	{"home", testHome},
	{"long keys", testLongKeys},
	{"strange throws", testStrangeThrows},
	{"large under writes", testLargeUnderWrites},
	{"goroutines", testGoroutines},
	{"graph", testGraph},
}

func runSuite(t *testing.T, s *site) {
	for _, host := range s.hosts {
		for _, c := range suite {
			t.Run(fmt.Sprintf("%s/%s", host, c.name), func(t *testing.T) { c.test(t, run{s, host}) })
		}
	}
}

func TestUDP(t *testing.T) {
	for _, lcores := range []int{1, 2} {
		t.Run(fmt.Sprintf("lcores=%d", lcores), func(t *testing.T) { runSuite(t, startUDP(t, lcores)) })
	}
}
