package suite

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"shredder/bench/report"
	"shredder/pktproc/wire"
	"shredder/store"
)

// The builtins are made for a lookup path: tenant, shard and element kind are fixed
// when they are made. Beside each the generic form of the same read: one function that
// finds the tenant by its name, the kind by its name, the way to read by the number of its
// arguments, makes bytes of every key and always asks the overlay. The generic side
// runs in goja without metering, which flatters it by a few nanoseconds.

const (
	builtinReads  = 1000 // a call, over so many keys of 128 B
	builtinValue  = 128
	builtinRounds = 7
)

// builtinPath is one lookup path in both forms, as an expression of a key k.
type builtinPath struct{ name, special, generic string }

var builtinPaths = []builtinPath{
	{"scalar", "store.u32At(k, 1)", "read('bench', 'u32', k, 1)"},
	{"view", "store.u32(k)[1]", "read('bench', 'u32', k)[1]"},
	{"bytes", "store.get(k)[4]", "read('bench', 'u8', k)[4]"},
}

// builtins measures every lookup path beside its generic form, per read.
func (l *lab) builtins() error {
	for _, path := range builtinPaths {
		for _, key := range []string{"int", "text"} {
			for _, overlay := range []string{"", "-overlay"} {
				if err := l.builtin(path, key, overlay); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// builtinSource is a library whose f reads every key once and returns the sum.
func builtinSource(expression, key, overlay string) string {
	write := ""
	if overlay != "" {
		write = "write(); "
	}
	name := "i"
	if key == "text" {
		name = "names[i]"
	}
	var names []string
	for i := range builtinReads {
		names = append(names, fmt.Sprintf("'key:%d'", i))
	}
	return strings.NewReplacer("READ", expression, "KEY", name, "WRITE", write, "COUNT", strconv.Itoa(builtinReads),
		"NAMES", strings.Join(names, ",")).Replace(`
const names = [NAMES];
export function f() { WRITElet n = 0; for (let i = 0; i < COUNT; i++) { const k = KEY; n += READ } return n }
function write() { store.set('written', 'x') }
`)
}

func (l *lab) builtin(path builtinPath, key, overlay string) error {
	e, err := newInterpreter(builtinSource(path.special, key, overlay))
	if err != nil {
		return err
	}
	defer e.shard.Close()
	want := int64(0)
	value := make([]byte, builtinValue)
	for i := range builtinReads {
		value[4] = byte(i % 100)
		want += int64(i % 100)
		for _, k := range []store.Key{store.IntKey(uint64(i)), store.BytesKey(fmt.Appendf(nil, "key:%d", i))} {
			if _, r := e.shard.Set(k, value, store.SetOptions{}, 1); r != store.OK {
				return fmt.Errorf("builtins: %v", r)
			}
		}
	}
	g, err := newGeneric(e.shard, builtinSource(path.generic, key, overlay))
	if err != nil {
		return err
	}
	name := "builtin-" + path.name + "-" + key + overlay
	var special, generic []float64
	for range builtinRounds { // in turn, for the machine's moods
		ns, err := each(l.length()/40, func(int) error {
			b, err := e.call(nil)
			if a, _, st := wire.FirstArg(b); err == nil && (st != wire.StatusOK || a.Int() != want) {
				err = fmt.Errorf("%s gives % x, want %d", name, b, want)
			}
			return err
		})
		if err != nil {
			return err
		}
		special = append(special, ns/builtinReads)
		ns, err = each(l.length()/40, func(int) error {
			n, err := g.call()
			if err == nil && n != want {
				err = fmt.Errorf("%s in its generic form gives %d, want %d", name, n, want)
			}
			return err
		})
		if err != nil {
			return err
		}
		generic = append(generic, ns/builtinReads)
	}
	l.add(report.Row{Name: name, Value: report.Median(special), Unit: "ns", Peer: "generic form", PeerValue: report.Median(generic),
		Ratio: report.Ratio(report.Median(special), report.Median(generic)), Note: "one read of 128 B in a loop of 1,000; lower is better"})
	return nil
}

// generic is goja with the one builtin that does everything when it is called.
type generic struct {
	js      *goja.Runtime
	f       goja.Callable
	tenants map[string]*store.Shard
}

func newGeneric(shard *store.Shard, source string) (*generic, error) {
	g := &generic{js: goja.New(), tenants: map[string]*store.Shard{"bench": shard}}
	api := g.js.NewObject()
	for _, err := range []error{
		g.js.Set("read", g.read), api.Set("set", g.set), g.js.Set("store", api),
	} {
		if err != nil {
			return nil, err
		}
	}
	if _, err := g.js.RunString(strings.Replace(source, "export ", "", 1)); err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(g.js.Get("f"))
	if !ok {
		return nil, fmt.Errorf("builtins: no function f")
	}
	g.f = f
	return g, nil
}

func (g *generic) call() (int64, error) {
	o := g.tenants["bench"].Overlay()
	o.Begin(1, store.OverlayLimits{Writes: 16, Bytes: 1 << 16})
	defer o.Discard()
	v, err := g.f(goja.Undefined())
	if err != nil {
		return 0, err
	}
	return v.ToInteger(), nil
}

func (g *generic) set(call goja.FunctionCall) goja.Value {
	_, r := g.tenants["bench"].Overlay().Set(store.BytesKey([]byte(call.Argument(0).String())), []byte(call.Argument(1).String()), store.SetOptions{})
	return g.js.ToValue(r == store.OK)
}

// read: tenant, kind, key → a typed array; with an index one element.
func (g *generic) read(call goja.FunctionCall) goja.Value {
	shard := g.tenants[call.Argument(0).String()]
	if shard == nil {
		panic(g.js.NewTypeError("no such tenant"))
	}
	e, r := shard.Overlay().Get(store.BytesKey([]byte(call.Argument(2).String())))
	if r != store.OK {
		return goja.Undefined()
	}
	kind := call.Argument(1).String()
	if len(call.Arguments) > 3 {
		return g.element(kind, e.Value, int(call.Argument(3).ToInteger()))
	}
	constructor := map[string]string{"u8": "Uint8Array", "u32": "Uint32Array", "f64": "Float64Array"}[kind]
	buffer := g.js.NewArrayBuffer(append([]byte(nil), e.Value...))
	view, err := g.js.New(g.js.Get(constructor), g.js.ToValue(buffer))
	if err != nil {
		panic(err)
	}
	return view
}

func (g *generic) element(kind string, b []byte, i int) goja.Value {
	size := map[string]int{"u8": 1, "u32": 4, "f64": 8}[kind]
	if i < 0 || (i+1)*size > len(b) {
		return goja.Undefined()
	}
	b = b[i*size:]
	switch kind {
	case "u8":
		return g.js.ToValue(b[0])
	case "u32":
		return g.js.ToValue(binary.LittleEndian.Uint32(b))
	}
	return g.js.ToValue(math.Float64frombits(binary.LittleEndian.Uint64(b)))
}
