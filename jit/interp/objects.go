package interp

import (
	"encoding/binary"
	"reflect"
	"strings"

	"github.com/dop251/goja"

	"shredder/jit"
)

func typeOf(v goja.Value) reflect.Type { return reflect.TypeOf(v) }

// kind is an element type of a typed view.
type kind uint8

const (
	kindU8 kind = iota
	kindI8
	kindU16
	kindI16
	kindU32
	kindI32
	kindF32
	kindF64
)

var kindNames = [...]string{"u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64"}
var kindArrays = [...]string{"Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array", "Float32Array", "Float64Array"}
var kindSizes = [...]int{1, 1, 2, 2, 4, 4, 4, 8}

// view makes a typed array over a copy of b, whose length is a multiple of the
// element size.
func (r *Runtime) view(k kind, b []byte) goja.Value {
	return r.adopt(k, r.appendValue(r.room(len(b)), b))
}

// room is a buffer for n bytes of values, charged to the scratch limit.
func (r *Runtime) room(n int) []byte {
	r.meter.charge(int64(n))
	return make([]byte, 0, n)
}

// pieceSize is how many bytes of values are copied between two chances to yield.
const pieceSize = 64 << 10

// appendValue copies a value, burning as it goes.
func (r *Runtime) appendValue(dst, b []byte) []byte {
	for len(b) > pieceSize {
		r.meter.work(pieceSize)
		dst, b = append(dst, b[:pieceSize]...), b[pieceSize:]
	}
	r.meter.work(int64(len(b)))
	return append(dst, b...)
}

// adopt makes a typed array over b itself.
func (r *Runtime) adopt(k kind, b []byte) goja.Value {
	ctor := r.ctors[k]
	if ctor == nil {
		ctor, _ = goja.AssertConstructor(r.intrinsic(kindArrays[k]))
		r.ctors[k] = ctor
	}
	o, err := ctor(nil, r.js.ToValue(r.js.NewArrayBuffer(b)))
	if err != nil {
		panic(err)
	}
	return o
}

// intrinsic returns a global as it was before any guard replaced it.
func (r *Runtime) intrinsic(name string) *goja.Object {
	if r.guards != nil {
		if o := r.guards.originals[name]; o != nil {
			return o
		}
		if o := r.guards.captured[name]; o != nil {
			return o
		}
	}
	return r.js.GlobalObject().Get(name).(*goja.Object)
}

// bufferBytes returns the bytes of a typed array, an ArrayBuffer or a
// DataView, in memory order, borrowed where the element is a byte.
func (r *Runtime) bufferBytes(o *goja.Object) ([]byte, bool) {
	t := o.ExportType()
	if t == nil || o.ClassName() != "Object" {
		return nil, false
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Interface {
		switch s := o.Export().(type) {
		case []byte:
			return s, true
		default:
			b, err := binary.Append(nil, binary.LittleEndian, s)
			return b, err == nil
		}
	}
	if t == arrayBufferType {
		return o.Export().(goja.ArrayBuffer).Bytes(), true
	}
	if r.program.names.wanted("DataView") && r.isDataView(o) {
		var b []byte
		err := r.js.ExportTo(o, &b)
		return b, err == nil
	}
	return nil, false
}

var arrayBufferType = reflect.TypeOf(goja.ArrayBuffer{})

func (r *Runtime) isDataView(o *goja.Object) bool {
	proto, _ := r.intrinsic("DataView").Get("prototype").(*goja.Object)
	for p := o.Prototype(); p != nil; p = p.Prototype() {
		if p == proto {
			return o != proto
		}
	}
	return false
}

// typedSlice returns the elements of a typed array, or nil.
func typedSlice(o *goja.Object) any {
	t := o.ExportType()
	if t != nil && t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Interface && o.ClassName() == "Object" {
		return o.Export()
	}
	return nil
}

// logBuffer holds console lines until the call has ended for good.
type logBuffer struct {
	room  int
	text  []byte
	lines []logLine
}

type logLine struct {
	level uint8
	end   int
}

func (l *logBuffer) reset(room int) {
	l.room, l.text, l.lines = room, l.text[:0], l.lines[:0]
}

func (l *logBuffer) add(level uint8, line string) {
	const perLine = 16 // so that empty lines are bounded too
	if l.room < perLine {
		return
	}
	line = strings.ToValidUTF8(line[:min(len(line), l.room-perLine)], "")
	l.room -= len(line) + perLine
	l.text = append(l.text, line...)
	l.lines = append(l.lines, logLine{level, len(l.text)})
}

func (l *logBuffer) deliver(log func(uint8, []byte)) {
	start := 0
	for _, line := range l.lines {
		log(line.level, l.text[start:line.end])
		start = line.end
	}
	l.reset(0)
}

var consoleLevels = []struct {
	name  string
	level uint8
}{{"log", jit.LevelInfo}, {"info", jit.LevelInfo}, {"debug", jit.LevelDebug}, {"trace", jit.LevelDebug}, {"warn", jit.LevelWarn}, {"error", jit.LevelError}}

func (r *Runtime) consoleFunction(level uint8) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		var line strings.Builder
		for i, a := range call.Arguments {
			if i > 0 {
				line.WriteByte(' ')
			}
			line.WriteString(r.logText(a))
			if line.Len() > r.log.room {
				break
			}
		}
		r.meter.burn(1)
		r.meter.work(int64(line.Len()))
		r.log.add(level, line.String())
		return undefined
	}
}

func (r *Runtime) logText(v goja.Value) string {
	o, ok := v.(*goja.Object)
	if !ok {
		return v.String()
	}
	if o.ClassName() == "Error" {
		return errorText(o)
	}
	w := jsonWriter{r: r, limit: 64 << 10}
	if !w.top(o) {
		return "[" + strings.ToLower(o.ClassName()) + "]"
	}
	return string(w.out)
}

// installObjects puts store, request and console where the library uses them
// as objects.
func (r *Runtime) installObjects() {
	names := r.program.names
	global := r.js.GlobalObject()
	fixed := func(name string, o *goja.Object) {
		// A plain object of ours cannot refuse a property.
		_ = global.DefineDataProperty(name, o, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	}
	if r.program.objects["store"] {
		o := r.js.NewObject()
		for _, name := range storeNames {
			if names.reachable(name) {
				_ = o.DefineDataProperty(name, r.storeFunction(name), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
			}
		}
		fixed("store", o)
	}
	if r.program.objects["console"] {
		o := r.js.NewObject()
		for _, c := range consoleLevels {
			if names.reachable(c.name) {
				_ = o.DefineDataProperty(c.name, r.native(r.consoleFunction(c.level)), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
			}
		}
		fixed("console", o)
	}
	if r.program.objects["request"] {
		fixed("request", r.requestObject())
	}
}

// requestObject reads the running invocation through accessors, so that it is
// made once.
func (r *Runtime) requestObject() *goja.Object {
	o := r.js.NewObject()
	accessor := func(name string, get func() goja.Value) {
		if !r.program.names.reachable(name) {
			return
		}
		f := r.native(func(goja.FunctionCall) goja.Value {
			if r.inv == nil {
				return undefined
			}
			return get()
		})
		_ = o.DefineAccessorProperty(name, f, nil, goja.FLAG_FALSE, goja.FLAG_TRUE)
	}
	accessor("id", func() goja.Value {
		if r.inv.ID < 1<<53 {
			return intValue(int64(r.inv.ID))
		}
		return r.js.ToValue(uintText(r.inv.ID))
	})
	accessor("tenant", func() goja.Value { return r.js.ToValue(r.inv.Tenant) })
	accessor("now", func() goja.Value { return intValue(r.inv.NowMillis) })
	if r.program.names.reachable("random") {
		f := r.native(func(goja.FunctionCall) goja.Value { return floatValue(r.nextRandom()) })
		_ = o.DefineDataProperty("random", f, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
	}
	return o
}

// stringLength is the length of a string value in UTF-16 units.
func stringLength(v goja.Value) int64 {
	if s, ok := v.(goja.String); ok {
		return int64(s.Length())
	}
	return 0
}
