package interp

import (
	"fmt"
	"math/rand"
	"testing"

	"shredder/jit"
	"shredder/store"
	"shredder/store/arena"
)

// canaryLibrary is shared by all tenants, so one compiled Program. Every value
// that a tenant stores, keeps, logs or passes is "<tenant>:<number>"; whatever
// carries another tenant's name is a leak.
const canaryLibrary = `
let kept = null;
const table = {};
export function put(key, value) { store.set(key, value); return store.text(key) }
export function read(key) { return store.text(key) }
export function remove(key) { return store.delete(key) }
export function keep(value) { const old = kept; kept = value; table.last = value; return old }
export function recall() { return [kept, table.last].join() }
export function all(keys) { return store.getMany(keys).map((v) => v === undefined ? '-' : String.fromCharCode(...v)).join() }
export function scribble(key, byte) {
  const view = store.get(key), before = store.text(key);
  if (view !== undefined) view.fill(byte);
  return before === store.text(key);
}
export function spoil(value) {
  Array.prototype.map = String.fromCharCode = Math.max = () => value;
  Array.prototype.join = function () { return value };
  Object.prototype.leak = value;
  Object.prototype.toString = () => value;
  String.prototype.trim = () => value;
  JSON.parse = JSON.stringify = () => value;
  Uint8Array.prototype.fill = null;
  return ({}).leak;
}
export function intact() {
  return [[1, 2].map((x) => x + 1).join('+'), String.fromCharCode(65), Math.max(1, 2), String(({}).leak), ' x '.trim(),
    JSON.stringify(JSON.parse('[1]')), String({}), typeof Uint8Array.prototype.fill].join();
}
export function whoami(value) { console.log('line', value); return request.tenant + ' ' + request.id }
export function slow(key, value) {
  store.set(key, value);
  let last;
  for (let i = 0; i < 40; i++) last = store.text(key);
  return [last, kept].join();
}
`

const canaryIntact = `"2+3,A,2,undefined,x,[1],[object Object],function"`

// canary is one tenant with the model of all that it may see.
type canary struct {
	t      *testing.T
	id     int
	shard  *store.Shard
	r      *Runtime
	limits jit.Limits
	rng    *rand.Rand
	data   [canaryKeys]string // by key, "" if absent
	kept   string
	spoilt bool
	serial int
	log    []string
	record func(level uint8, text []byte)
	stops  bool // the operation that runs may be killed
}

const canaryKeys = 8 // keys of the same names in every tenant

func newCanary(t *testing.T, id int, p *Program, budget *arena.Budget) *canary {
	shard, err := store.Open(store.Config{Quota: 1 << 20, Seed: uint64(id), Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{t: t, id: id, shard: shard, limits: jit.DefaultLimits(), rng: rand.New(rand.NewSource(int64(id)))}
	c.limits.Slice = 8
	c.record = func(_ uint8, text []byte) { c.log = append(c.log, string(text)) }
	c.make(p)
	return c
}

func (c *canary) name() string { return fmt.Sprint("tenant", c.id) }

// make gives the tenant a new runtime, as after an eviction.
func (c *canary) make(p *Program) {
	r, err := NewRuntime(p, c.shard, RuntimeConfig{Tenant: c.name(), Limits: &c.limits})
	if err != nil {
		c.t.Fatal(err)
	}
	c.r, c.kept, c.spoilt = r, "", false
}

func (c *canary) fresh() string {
	c.serial++
	return fmt.Sprintf("%d:%d", c.id, c.serial)
}

func quoted(s string) string {
	if s == "" {
		return "null"
	}
	return fmt.Sprintf("%q", s)
}

// invoke calls and commits; suspend is the Yield.
func (c *canary) invoke(function string, suspend func() bool, args ...any) string {
	o := c.shard.Overlay()
	o.Begin(testNow, store.OverlayLimits{Writes: 16, Bytes: 1 << 16})
	c.log = c.log[:0]
	inv := &jit.Invocation{Function: []byte(function), Args: encode(args...), ID: uint64(c.serial), Tenant: c.name(), Overlay: o,
		Limits: &c.limits, NowMillis: testNow, Yield: suspend, Log: c.record}
	out := c.r.Invoke(inv)
	if out.Status != jit.OK {
		o.Discard()
		return fmt.Sprintf("%v %s", out.Status, out.Message)
	}
	o.Commit()
	return shown(inv.Result)
}

// step does one random operation and compares all that comes out with the model.
func (c *canary) step(p *Program, suspend func() bool) {
	if c.spoilt { // its own builtins are spoilt: only a new runtime is of use
		c.renew(p)
	}
	if c.r.Dirty() { // the next call resets it
		c.kept = ""
	}
	key, value := c.rng.Intn(canaryKeys), c.fresh()
	stored := c.data[key]
	switch op := c.rng.Intn(200); {
	case op < 40:
		c.data[key] = value
		c.want(quoted(value), c.invoke("put", suspend, key, value))
	case op < 90:
		c.want(quoted(stored), c.invoke("read", suspend, key))
	case op < 100:
		c.data[key] = ""
		c.want(fmt.Sprint(stored != ""), c.invoke("remove", suspend, key))
	case op < 120:
		c.want(quoted(c.kept), c.invoke("keep", suspend, value))
		c.kept = value
	case op < 136:
		c.want(fmt.Sprintf("%q", c.kept+","+c.kept), c.invoke("recall", suspend))
	case op < 148:
		text := stored
		if text == "" {
			text = "-"
		}
		c.want(fmt.Sprintf("%q", text+","+text), c.invoke("all", suspend, json(fmt.Sprintf("[%d,%d]", key, key))))
	case op < 160:
		c.want("true", c.invoke("scribble", suspend, key, key))
	case op < 176:
		c.want(canaryIntact, c.invoke("intact", suspend))
	case op < 188:
		c.want(fmt.Sprintf("\"%s %d\"", c.name(), c.serial), c.invoke("whoami", suspend, value))
		if len(c.log) != 1 || c.log[0] != "line "+value {
			c.t.Errorf("%s logs %q", c.name(), c.log)
		}
	case op < 199:
		c.slow(key, value, suspend)
	default:
		c.want(quoted(value), c.invoke("spoil", suspend, value))
		c.spoilt = true
	}
}

func (c *canary) renew(p *Program) {
	if c.rng.Intn(2) == 0 {
		c.make(p)
	} else if err := c.r.Reset(); err != nil {
		c.t.Error(err)
	}
	c.kept, c.spoilt = "", false
}

// slow is a call that others run in between of, and that may be killed.
func (c *canary) slow(key int, value string, suspend func() bool) {
	c.stops = true
	got := c.invoke("slow", suspend, key, value)
	c.stops = false
	if got == "killed " {
		return
	}
	c.data[key] = value
	c.want(fmt.Sprintf("%q", value+","+c.kept), got)
}

func (c *canary) want(want, got string) {
	if got != want {
		c.t.Errorf("%s sees %s instead of %s", c.name(), got, want)
	}
}

// TestCanary runs random operations of many tenants that share one Program and
// one thread, calls of some suspended while others run, runtimes spoilt, reset
// and made anew; nothing that a tenant reads, keeps or logs is ever another
// tenant's, and no builtin ever another tenant's doing. 100,000 operations of
// 100 tenants; 10⁷ of 1,000 with SOAK=1.
func TestCanary(t *testing.T) {
	operations, tenants := 100_000, 100
	if soak() {
		operations, tenants = 10_000_000, 1000
	}
	limits := jit.DefaultLimits()
	p, err := Compile([]byte(canaryLibrary), &limits)
	if err != nil {
		t.Fatal(err)
	}
	budget := arena.NewBudget(8 << 30)
	rng := rand.New(rand.NewSource(5))
	all := make([]*canary, tenants)
	for i := range all {
		all[i] = newCanary(t, i, p, budget)
		defer func() { _ = all[i].shard.Close() }()
	}
	var busy [8]struct {
		coroutine *jit.Coroutine
		tenant    *canary
	}
	for i := range busy {
		busy[i].coroutine = jit.NewCoroutine()
		defer busy[i].coroutine.Close()
	}
	running := map[*canary]bool{}
	for done := 0; done < operations && !t.Failed(); {
		slot := &busy[rng.Intn(len(busy))]
		if slot.coroutine.Idle() {
			c := all[rng.Intn(tenants)]
			if running[c] {
				continue
			}
			running[c], slot.tenant = true, c
			slot.coroutine.Start(func(yield func() bool) {
				c.step(p, func() bool { return (rng.Intn(3) > 0 || yield()) && !(c.stops && rng.Intn(50) == 0) })
			})
		}
		if slot.coroutine.Resume() {
			delete(running, slot.tenant)
			done++
		}
	}
	for i := range busy {
		for !busy[i].coroutine.Resume() {
		}
	}
	for _, c := range all {
		keys := 0
		for _, v := range c.data {
			if v != "" {
				keys++
			}
		}
		if n := c.shard.Len(); n != keys {
			t.Errorf("%s has %d keys, not %d", c.name(), n, keys)
		}
	}
}
