package tenants

import (
	"testing"

	"shredder/jit"
)

// originals are functions as the original's users wrote them, and whether
// they compile with the prelude.
var originals = []struct {
	name, source string
	compiles     bool
}{
	{"countFriends, into a scratch buffer", `
function countFriends(id, depth) {
  var buf = new ArrayBuffer(8192);
  var size = HTGet(GetHashTable(), id, buf);
  if (size === undefined) return 0;
  var friends = new Uint32Array(buf);
  var n = size / 4, sum = n;
  if (depth === 1) return n;
  for (var i = 0; i < n; i++) sum += countFriends(friends[i], depth - 1);
  return sum;
}`, true},
	{"countFriends, as a view", `
var ht = GetHashTable();
function countFriends(id, depth) {
  var buf = new ArrayBuffer(0);
  var size = HTGet(ht, id, buf);
  if (size === undefined) return 0;
  var n = size / 4, sum = n;
  if (depth === 1) return n;
  for (var i = 0; i < n; i++) sum += countFriends(HTGetField(buf, i), depth - 1);
  return sum;
}`, false},
	{"khop", `
function khop(id, k) {
  var data = DBGet(id);
  if (data === undefined) return 0;
  var friends = new Uint32Array(data);
  var n = friends.length;
  if (k === 1) return n;
  for (var i = 0; i < friends.length; i++) n += khop(friends[i], k - 1);
  return n;
}`, true},
	{"a neural net", `
function predict(model, input) {
  var weights = DBGet(model), values = DBGet(input);
  if (weights === undefined || values === undefined) return undefined;
  var w = new Float64Array(weights), x = new Float64Array(values);
  var best = -1, at = -1, next = 0;
  for (var j = 0; j < 3; j++) {
    var sum = w[next++];
    for (var i = 0; i < x.length; i++) sum += w[next++] * x[i];
    var y = 1 / (1 + Math.exp(-sum));
    if (y > best) { best = y; at = j; }
  }
  return at;
}`, true},
	{"writes", `
function put(key, n) { var b = new ArrayBuffer(4); new DataView(b).setUint32(0, n, true); DBSet(key, b); return DBGet(key); }
function drop(key) { return DBDel(key); }
function where() { return TID; }
function graph() { return LoadFBGraph(); }
`, true},
	{"print", `
function say(x) { print("x", x); }`, false},
}

// TestPreludeViewsMutate holds that a call that makes a module's buffer a view of
// another value counts as one that changes module state.
func TestPreludeViewsMutate(t *testing.T) {
	limits := jit.DefaultLimits()
	source, err := withPrelude([]byte("var view = new ArrayBuffer(0);\nfunction look(id) { return HTGet(1, id, view); }\n"+
		"function field(i) { return HTGetField(view, i); }\n//# prelude=original"), &Local{Limits: &limits})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Interpreter{}.Compile(source, &limits)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Functions(); len(got) != 2 {
		t.Errorf("exported: %v", got)
	}
	if !p.MutatesModule("look") {
		t.Error("look changes what field sees, and is not known to")
	}
}

func TestPreludeCompiles(t *testing.T) {
	limits := jit.DefaultLimits()
	for _, o := range originals {
		source, err := withPrelude([]byte(o.source+"\n//# prelude=original"), &Local{Limits: &limits})
		if err != nil {
			t.Fatalf("%s: %v", o.name, err)
		}
		p, err := Interpreter{}.Compile(source, &limits)
		if err != nil {
			t.Errorf("%s: %v\n%s", o.name, err, source)
			continue
		}
		if err := mustCompile("t", p); (err == nil) != o.compiles {
			t.Errorf("%s: %v", o.name, err)
		}
	}
}
