package resp

import (
	"strings"
	"testing"

	"shredder/jit"
	"shredder/tenants"
)

// scratchLibrary is written for the original, with buffers that values are copied
// into: it compiles.
const scratchLibrary = `#!js name=original prelude=original
function countFriends(id, depth) {
  var buf = new ArrayBuffer(64);
  var size = HTGet(GetHashTable(), id, buf);
  if (size === undefined) return 0;
  var friends = new Uint32Array(buf);
  var n = size / 4, sum = n;
  if (depth === 1) return n;
  for (var i = 0; i < n; i++) sum += countFriends(friends[i], depth - 1);
  return sum;
}
function put(key, n) { var b = new ArrayBuffer(8); new DataView(b).setUint32(4, n, true); DBSet(key, b); }
function get(key) { return DBGet(key); }
function drop(key) { return DBDel(key); }
function nodes() { return LoadFBGraph(); }
function thread() { return TID; }
function part(key) { var b = new ArrayBuffer(3); return [HTGet(GetHashTable(), key, b), new Uint8Array(b)[2]].join(); }
function nothing(key) { var b = new ArrayBuffer(4); return HTGet(GetHashTable(), key, b); }
function double(n) { return n + n; }`

// viewLibrary keeps a buffer between calls and reads values through it: tier 0 runs it.
const viewLibrary = `#!js name=views prelude=original
var table = GetHashTable();
var view = new ArrayBuffer(0);
var calls = 0;
function countFriends(id, depth) {
  var buf = new ArrayBuffer(0);
  var size = HTGet(table, id, buf);
  if (size === undefined) return 0;
  var n = size / 4, sum = n;
  if (depth === 1) return n;
  for (var i = 0; i < n; i++) sum += countFriends(HTGetField(buf, i), depth - 1);
  return sum;
}
function look(id) { return HTGet(table, id, view); }
function field(i) { return HTGetField(view, i); }
function copied(id, i) { var b = new ArrayBuffer(16); HTGet(table, id, b); return HTGetField(b, i); }
function count() { return ++calls; }
function say(a, b) { print(a, b); return typeof table; }
function wrong(key) { DBSet(key, "text"); }
function DBDel(key) { return "my own " + key; }
function mine() { return DBDel(1); }`

// originalTenants adds a sandboxed and a trusted tenant with a graph.
func originalTenants(t *testing.T, r *rig) {
	t.Helper()
	for name, trust := range map[string]tenants.Trust{"compiled": tenants.TrustSandboxed, "both": tenants.TrustTrusted} {
		limits := jit.DevelopmentLimits()
		limits.DeadlineMillis = 60_000
		spec := tenants.Spec{Name: name, Trust: trust, NoToken: true, NoDeployToken: true, Quota: 8 << 20, Limits: limits,
			Graph: []byte("# a b\n0 1\n0 2\n1 0\n2 0\n2 1\n2 7\n")}
		if _, err := r.registry.Create(spec); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *peer) load(code string) string {
	p.t.Helper()
	p.send(request("FUNCTION", "LOAD", "REPLACE", code))
	return p.read()
}

func TestPrelude(t *testing.T) {
	r := newRig(t, nil)
	originalTenants(t, r)
	for _, tenant := range []string{"compiled", "both"} {
		p := r.dial()
		p.wants("AUTH "+tenant+" any", "+OK")
		if s := p.load(scratchLibrary); s != `"original"` {
			t.Fatal(tenant, s)
		}
		for range 3 { // the tiers take over from one another
			p.wants("JS countFriends 0 1", ":2", "JS countFriends 0 2", ":6", "JS countFriends 9 2", ":0",
				"JS put 100 258", "nil", "JS get 100", `"\x00\x00\x00\x00\x02\x01\x00\x00"`, "GET 100", `"\x00\x00\x00\x00\x02\x01\x00\x00"`,
				"JS part 100", `"8,0"`, "JS drop 100", ":1", "JS drop 100", ":0", "JS get 100", "nil", "JS nothing 100", "nil",
				"JS nodes", ":4", "JS thread", ":0", "JS double 21", ":42", "JS double x", `"xx"`,
				"JS DBGet 0", "-ERR Function not found", "JS HTGet 0", "-ERR Function not found")
		}
	}
}

func TestPreludeViews(t *testing.T) {
	r := newRig(t, nil)
	originalTenants(t, r)
	p := r.dial()
	p.wants("AUTH both any", "+OK")
	if s := p.load(viewLibrary); s != `"views"` {
		t.Fatal(s)
	}
	p.wants("JS countFriends 0 1", ":2", "JS countFriends 0 2", ":6",
		"JS field 0", "nil", "JS look 2", ":12", "JS field 2", ":7", "JS field 3", "nil", "JS field -1", "nil",
		"JS look 99", "nil", "JS field 2", ":7", "JS copied 2 2", ":7", "JS copied 2 3", ":0", "JS copied 2 4", "nil",
		"JS count", ":1", "JS count", ":2", "JS say a 1", `"string"`, "JS mine", `"my own 1"`)
	if s := p.do("JS wrong 5"); !strings.HasPrefix(s, "-ERR TypeError") {
		t.Error(s)
	}
	// What is listed and dumped can be loaded again.
	before := p.do("FUNCTION LIST WITHCODE")
	p.send(request("FUNCTION", "DUMP"))
	dump := p.read()
	if len(dump) < len(viewLibrary) {
		t.Fatal(dump)
	}
	if s := p.load(viewLibrary); s != `"views"` || p.do("FUNCTION LIST WITHCODE") != before {
		t.Error("loading again changes the library", s)
	}

	p = r.dial() // no graph, no prelude
	p.load("#!js name=g prelude=original\nfunction graph() { return LoadFBGraph(); }")
	p.wants("JS graph", "-ERR Error: no graph is configured for this tenant (line 5, column 32)")
	p.load("#!js name=g\nfunction get(k) { return DBGet(k); }")
	if s := p.do("JS get 1"); !strings.HasPrefix(s, "-ERR ReferenceError: DBGet") {
		t.Error(s)
	}
	if s := p.load("#!js name=g\n//# prelude=original\nfunction get(k) { return DBGet(k); }"); !strings.Contains(s, "nothing may stand behind the line") {
		t.Error(s)
	}
	if s := p.load("#!js name=g prelude=original\nfunction get(k) {\n  return DBGet(k;\n}"); !strings.Contains(s, "(line 4, column 1)") {
		t.Error(s)
	}
	if s := p.do("AUTH compiled any"); s != "+OK" {
		t.Error(s)
	}
	if s := p.load(viewLibrary); !strings.Contains(s, "is not compiled") {
		t.Error(s)
	}
}
