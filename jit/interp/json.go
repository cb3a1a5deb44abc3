package interp

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dop251/goja"

	"shredder/jit"

	"shredder/jit/syntax"
)

// jsonDepth bounds nesting of JSON texts both ways; goja's parser recurses.
const jsonDepth = 256

// jsonWriter writes a value as JSON.stringify does, in our own code: goja's
// runs unmetered, which a value that contains itself twice at every level
// turns into exponential time and memory.
type jsonWriter struct {
	r        *Runtime
	out      []byte
	limit    int // bytes of out, 0: by scratch only
	charged  int
	indent   string
	depth    int
	stack    []*goja.Object
	replacer func(goja.FunctionCall) goja.Value
	allowed  []string // property list of a replacer array, in order
	listed   bool
}

// top writes v as the whole text; false: v is no JSON value (undefined).
func (w *jsonWriter) top(v goja.Value) bool {
	if w.replacer != nil {
		holder := w.r.js.NewObject()
		_ = holder.Set("", v)
		return w.value(holder, "", v)
	}
	return w.value(nil, "", v)
}

func (w *jsonWriter) charge() {
	w.r.meter.burn(1)
	if n := len(w.out) - w.charged; n >= syntax.BytesPerFuel {
		w.r.meter.grow(int64(n))
		w.charged = len(w.out)
	}
	if w.limit > 0 && len(w.out) > w.limit {
		if w.r.inv != nil {
			w.r.fail(jit.TooLarge, "the JSON text is larger than its limit")
		}
	}
}

func (w *jsonWriter) value(holder *goja.Object, key string, v goja.Value) bool {
	w.charge()
	if o, ok := v.(*goja.Object); ok {
		if f := callable(o.Get("toJSON")); f != nil {
			v = f(goja.FunctionCall{This: o, Arguments: []goja.Value{w.r.js.ToValue(key)}})
		}
	} else if goja.IsBigInt(v) {
		panic(w.r.js.NewTypeError("Do not know how to serialize a BigInt"))
	}
	if w.replacer != nil {
		v = w.replacer(goja.FunctionCall{This: holder, Arguments: []goja.Value{w.r.js.ToValue(key), v}})
	}
	switch {
	case v == nil || goja.IsUndefined(v):
		return false
	case goja.IsNull(v):
		w.out = append(w.out, "null"...)
	case goja.IsBigInt(v):
		panic(w.r.js.NewTypeError("Do not know how to serialize a BigInt"))
	case goja.IsString(v):
		w.quote(v)
	default:
		o, ok := v.(*goja.Object)
		if !ok {
			return w.primitive(v)
		}
		return w.object(o)
	}
	return true
}

func (w *jsonWriter) primitive(v goja.Value) bool {
	switch typeOf(v) {
	case typeOf(trueValue):
		w.out = strconv.AppendBool(w.out, v.ToBoolean())
	case intType:
		w.out = strconv.AppendInt(w.out, v.ToInteger(), 10)
	case floatType:
		if f := v.ToFloat(); math.IsNaN(f) || math.IsInf(f, 0) {
			w.out = append(w.out, "null"...)
		} else if f == 0 {
			w.out = append(w.out, '0')
		} else {
			w.out = append(w.out, v.String()...)
		}
	default:
		return false // a symbol
	}
	return true
}

func (w *jsonWriter) object(o *goja.Object) bool {
	switch o.ClassName() {
	case "Number":
		return w.primitive(w.r.js.ToValue(o.ToFloat()))
	case "String":
		w.quote(w.r.js.ToValue(o.String()))
		return true
	case "Boolean":
		w.out = strconv.AppendBool(w.out, o.Export() == true)
		return true
	}
	if callable(o) != nil {
		return false
	}
	for _, s := range w.stack {
		if s == o {
			panic(w.r.js.NewTypeError("Converting circular structure to JSON"))
		}
	}
	if len(w.stack) >= jsonDepth {
		panic(w.r.js.NewTypeError("a value is nested too deeply for JSON"))
	}
	w.stack = append(w.stack, o)
	if o.ClassName() == "Array" {
		w.array(o)
	} else {
		w.members(o)
	}
	w.stack = w.stack[:len(w.stack)-1]
	return true
}

func (w *jsonWriter) newline() {
	if w.indent != "" {
		w.out = append(w.out, '\n')
		for range w.stack {
			w.out = append(w.out, w.indent...)
		}
	}
}

func (w *jsonWriter) array(o *goja.Object) {
	n := o.Get("length").ToInteger()
	w.out = append(w.out, '[')
	for i := int64(0); i < n; i++ {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.newline()
		key := strconv.FormatInt(i, 10)
		if !w.value(o, key, o.Get(key)) {
			w.out = append(w.out, "null"...)
		}
	}
	w.close(n > 0, ']')
}

func (w *jsonWriter) close(any bool, c byte) {
	if any && w.indent != "" {
		top := w.stack
		w.stack = top[:len(top)-1]
		w.newline()
		w.stack = top
	}
	w.out = append(w.out, c)
}

func (w *jsonWriter) members(o *goja.Object) {
	keys := w.allowed
	if !w.listed {
		if s := stringOrTypedLength(o); s > 0 {
			w.r.meter.grow(s * 16)
		}
		keys = o.Keys()
		w.r.meter.work(int64(len(keys)) * 16)
	}
	w.out = append(w.out, '{')
	written := false
	for _, key := range keys {
		mark := len(w.out)
		if written {
			w.out = append(w.out, ',')
		}
		w.newline()
		w.out = quoteJSON(w.out, key)
		w.out = append(w.out, ':')
		if w.indent != "" {
			w.out = append(w.out, ' ')
		}
		if w.value(o, key, o.Get(key)) {
			written = true
		} else {
			w.out = w.out[:mark]
			w.charged = min(w.charged, mark)
		}
	}
	w.close(written, '}')
}

func (w *jsonWriter) quote(v goja.Value) {
	s := v.String()
	w.r.meter.work(int64(len(s)))
	if strings.ContainsRune(s, utf8.RuneError) {
		w.quoteUnits(v.(goja.String))
		return
	}
	w.out = quoteJSON(w.out, s)
}

// quoteUnits writes lone surrogates as escapes, as well-formed JSON.stringify does.
func (w *jsonWriter) quoteUnits(s goja.String) {
	w.out = append(w.out, '"')
	for i, n := 0, s.Length(); i < n; i++ {
		c := rune(s.CharAt(i))
		if utf16.IsSurrogate(c) {
			if i+1 < n {
				if r := utf16.DecodeRune(c, rune(s.CharAt(i+1))); r != utf8.RuneError {
					w.out = utf8.AppendRune(w.out, r)
					i++
					continue
				}
			}
			w.out = append(w.out, `\u`...)
			w.out = append(w.out, strconv.FormatInt(int64(c), 16)...)
			continue
		}
		w.out = escapeRune(w.out, c)
	}
	w.out = append(w.out, '"')
}

func quoteJSON(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, s[start:i]...)
			dst = escapeRune(dst, rune(c))
			start = i + 1
		}
	}
	return append(append(dst, s[start:]...), '"')
}

func escapeRune(dst []byte, c rune) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', byte(c))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	}
	if c < ' ' {
		const hex = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return utf8.AppendRune(dst, c)
}

func callable(v goja.Value) func(goja.FunctionCall) goja.Value {
	o, ok := v.(*goja.Object)
	if !ok || o.ClassName() != "Function" {
		return nil
	}
	f, _ := o.Export().(func(goja.FunctionCall) goja.Value)
	return f
}

// stringify is JSON.stringify.
func (r *Runtime) stringify(call goja.FunctionCall) goja.Value {
	w := jsonWriter{r: r}
	if o, ok := call.Argument(1).(*goja.Object); ok {
		if w.replacer = callable(o); w.replacer == nil && o.ClassName() == "Array" {
			w.listed = true
			seen := map[string]bool{}
			for i, n := int64(0), o.Get("length").ToInteger(); i < n; i++ {
				r.meter.burn(1)
				v := o.Get(strconv.FormatInt(i, 10))
				if v == nil || !(goja.IsString(v) || goja.IsNumber(v)) || seen[v.String()] {
					continue
				}
				seen[v.String()] = true
				w.allowed = append(w.allowed, v.String())
			}
		}
	}
	switch space := call.Argument(2); {
	case goja.IsNumber(space):
		w.indent = strings.Repeat(" ", int(min(10, max(0, space.ToInteger()))))
	case goja.IsString(space):
		s := space.String()
		w.indent = s[:min(10, len(s))]
	}
	if !w.top(call.Argument(0)) {
		return undefined
	}
	return r.js.ToValue(string(w.out))
}

// parseJSON is JSON.parse without a reviver, for stored values and arguments.
func (r *Runtime) parseJSON(text string) goja.Value {
	r.checkJSON(text)
	if r.guards.jsonParse == nil {
		// The program does not spell JSON, so it is as goja made it.
		r.guards.jsonParse = nativeOf(r.js.GlobalObject().Get("JSON").(*goja.Object).Get("parse"))
	}
	return r.guards.jsonParse(goja.FunctionCall{This: undefined, Arguments: []goja.Value{r.js.ToValue(text)}})
}

// checkJSON charges for a text before it is parsed and refuses deep nesting.
func (r *Runtime) checkJSON(text string) {
	r.meter.grow(int64(len(text)) * 4) // values take more room than their text
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > jsonDepth {
				panic(r.syntaxError("a JSON text is nested too deeply"))
			}
		case c == ']' || c == '}':
			depth--
		}
	}
}

func uintText(n uint64) string { return strconv.FormatUint(n, 10) }
