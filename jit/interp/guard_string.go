package interp

import (
	"math"
	"strings"

	"github.com/dop251/goja"

	"shredder/jit/syntax"
)

// wholeString are methods that read the receiver once.
var wholeString = []string{"indexOf", "lastIndexOf", "includes", "localeCompare", "isWellFormed", "codePointAt"}

// copyingString are methods that make a string or an array of about that size.
var copyingString = []string{"normalize", "toUpperCase", "toLowerCase", "toLocaleUpperCase", "toLocaleLowerCase", "trim", "trimStart", "trimEnd",
	"toWellFormed", "concat", "link", "anchor"}

// matching are methods that may run a regular expression over the receiver.
var matching = []string{"match", "matchAll", "search", "split"}

func (r *Runtime) installStringGuards() {
	if r.anyWanted("repeat", "padStart", "padEnd", "replace", "replaceAll", "String", "constructor") || r.anyWanted(wholeString...) ||
		r.anyWanted(copyingString...) || r.anyWanted(matching...) {
		proto := r.prototype("String")
		r.guardGroups(proto, []guardGroup{
			{wholeString, func(r *Runtime, call goja.FunctionCall) { r.meter.work(extent(call.This) + extent(call.Argument(0))) }},
			{copyingString, func(r *Runtime, call goja.FunctionCall) {
				n := extent(call.This)
				for _, a := range call.Arguments {
					n += extent(a)
				}
				r.meter.grow(2 * n)
			}},
			{matching, func(r *Runtime, call goja.FunctionCall) {
				r.subject(call.This, call.Argument(0))
				r.meter.grow(extent(call.This) * 4)
			}},
			{[]string{"repeat"}, func(r *Runtime, call goja.FunctionCall) {
				r.product(extent(call.This), call.Argument(0).ToFloat())
			}},
			{[]string{"padStart", "padEnd"}, func(r *Runtime, call goja.FunctionCall) {
				r.product(1, call.Argument(0).ToFloat())
			}},
		})
		r.replaceMethod(proto, "replace", guardReplace(0))
		r.replaceMethod(proto, "replaceAll", func(r *Runtime, original func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
			return guardReplace(0)(r, func(call goja.FunctionCall) goja.Value {
				if v, ok := r.replaceNothing(call); ok {
					return v
				}
				return original(call)
			})
		})
		r.guardMethod(r.intrinsic("String"), "raw", func(r *Runtime, call goja.FunctionCall) { r.rawTemplate(call) })
	}
	r.installRegExpGuards()
	r.guardGroups(r.js.GlobalObject(), []guardGroup{
		{[]string{"encodeURIComponent", "encodeURI", "decodeURIComponent", "decodeURI", "escape", "unescape"}, func(r *Runtime, call goja.FunctionCall) {
			r.meter.grow(3 * extent(call.Argument(0)))
		}},
		{[]string{"parseInt", "parseFloat"}, func(r *Runtime, call goja.FunctionCall) { r.meter.work(extent(call.Argument(0))) }},
	})
}

// product charges for a string of n × times characters.
func (r *Runtime) product(n int64, times float64) {
	if total := float64(n) * times; total >= syntax.BytesPerFuel {
		r.meter.grow(int64(math.Min(total, 1<<53)))
	}
}

// rawTemplate charges for String.raw: the strings must be a real array.
func (r *Runtime) rawTemplate(call goja.FunctionCall) {
	o, ok := call.Argument(0).(*goja.Object)
	if !ok {
		return
	}
	raw, ok := o.Get("raw").(*goja.Object)
	if !ok || raw.ClassName() != "Array" {
		panic(r.js.NewTypeError("String.raw is for templates here"))
	}
	n := lengthOf(raw)
	r.newElements(n, elementSize)
	for _, a := range call.Arguments {
		r.meter.grow(extent(a))
	}
	for _, v := range *arrayValues(raw, n) {
		r.meter.grow(extent(v))
	}
}

// arrayValues reads the elements of a real array whose length is paid for.
func arrayValues(o *goja.Object, n int64) *[]goja.Value {
	values := make([]goja.Value, 0, n)
	for i := int64(0); i < n; i++ {
		if v := o.Get(uintText(uint64(i))); v != nil {
			values = append(values, v)
		}
	}
	return &values
}

// guardReplace bounds what replacing can make: a template that repeats the text
// around each match makes it quadratic, and a callback can return a long string
// for every match.
func guardReplace(subjectIn int) replacement {
	return func(r *Runtime, original func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value {
			subject, with := call.This, 1
			if subjectIn == 1 { // RegExp.prototype[Symbol.replace](string, replacement)
				subject, with = call.Argument(0), 1
				r.subject(subject, call.This)
			} else {
				r.subject(subject, call.Argument(0))
			}
			n := extent(subject)
			r.meter.grow(n * 2)
			arguments := append([]goja.Value(nil), call.Arguments...)
			if len(arguments) > with {
				arguments[with] = r.boundReplacement(arguments[with], n)
			}
			result := original(goja.FunctionCall{This: call.This, Arguments: arguments})
			r.meter.grow(extent(result))
			return result
		}
	}
}

// replaceNothing is replaceAll of the empty string in a text that is not ASCII:
// goja finds it again and again behind the end.
func (r *Runtime) replaceNothing(call goja.FunctionCall) (goja.Value, bool) {
	subject, ok := call.This.(goja.String)
	pattern, isText := call.Argument(0).(goja.String)
	if !ok || !isText || pattern.Length() > 0 {
		return nil, false
	}
	if _, isCode := call.Argument(1).(*goja.Object); !isCode {
		call.Arguments = []goja.Value{call.Arguments[0], call.Argument(1).ToString()}
	}
	with := callable(call.Argument(1))
	var out goja.StringBuilder
	n := subject.Length()
	for at := 0; at <= n; at++ {
		if with != nil {
			text := with(goja.FunctionCall{This: undefined, Arguments: []goja.Value{pattern, intValue(int64(at)), subject}})
			out.WriteString(text.ToString().(goja.String))
		} else {
			expand(&out, call.Argument(1).(goja.String), subject, at)
		}
		if at < n {
			out.WriteSubstring(subject, at, at+1)
		}
	}
	return out.String(), true
}

// expand writes a replacement for nothing at a place of subject.
func expand(out *goja.StringBuilder, with, subject goja.String, at int) {
	for i, n := 0, with.Length(); i < n; i++ {
		if with.CharAt(i) != '$' || i+1 == n {
			out.WriteSubstring(with, i, i+1)
			continue
		}
		i++
		switch with.CharAt(i) {
		case '$':
			out.WriteRune('$')
		case '&':
		case '`':
			out.WriteSubstring(subject, 0, at)
		case '\'':
			out.WriteSubstring(subject, at, subject.Length())
		default:
			out.WriteRune('$')
			i--
		}
	}
}

func (r *Runtime) boundReplacement(v goja.Value, n int64) goja.Value {
	if f := callable(v); f != nil {
		return r.js.ToValue(func(call goja.FunctionCall) goja.Value {
			text := f(call).ToString()
			r.meter.burn(1)
			r.meter.grow(extent(text))
			return text
		})
	}
	text := v.ToString()
	s := text.String()
	each := int64(len(s)) + n*int64(strings.Count(s, "$`")+strings.Count(s, "$'")+strings.Count(s, "$&")/64)
	if most := float64(n+1) * float64(each); most > float64(r.meter.scratch) {
		panic(r.rangeError("the replaced text could exceed the limit on scratch memory"))
	}
	return text
}

// Regular expressions. Those that Go's engine can run take linear time, at up
// to about 100 ns a character times the size of the pattern; the others
// backtrack under a timeout of their own.
const (
	largestPattern = 1024
	largestRepeat  = 1000 // product of nested counted repetitions
	// largestBacktracking bounds the text for patterns that may backtrack:
	// each match may take the whole timeout.
	largestBacktracking = 4 << 10
)

// checkPattern returns why a pattern is refused, or "".
func checkPattern(p string) string {
	if len(p) > largestPattern {
		return "a regular expression is too long"
	}
	depth, product := 0, 1
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '(':
			if depth++; depth > 32 {
				return "a regular expression is nested too deeply"
			}
		case ')':
			depth--
		case '{':
			if n := repeatCount(p[i+1:]); n > 1 {
				if product *= n; product > largestRepeat {
					return "the counted repetitions of a regular expression are too large together"
				}
			}
		}
	}
	return ""
}

// repeatCount reads {n}, {n,} or {n,m} and returns the largest count.
func repeatCount(p string) int {
	most, n := 0, 0
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c >= '0' && c <= '9':
			n = min(n*10+int(c-'0'), 1<<20)
		case c == ',' || c == '}':
			most, n = max(most, n), 0
			if c == '}' {
				return most
			}
		default:
			return 0
		}
	}
	return 0
}

// subject charges for matching a text against a pattern, by the length of both.
func (r *Runtime) subject(text, pattern goja.Value) {
	n, size, backtracks := extent(text), int64(8), false
	if o, ok := pattern.(*goja.Object); ok && o.ClassName() == "RegExp" {
		source := regexpSource(o)
		size += int64(len(source))
		backtracks = mayBacktrack(source)
	}
	if backtracks && n > largestBacktracking {
		panic(r.rangeError("a text is too long for a regular expression with lookaround or back-references"))
	}
	r.meter.burn(1)
	r.meter.work(n * size / 8)
}

// regexpSource reads the pattern. It is a getter of the prototype, which a
// library may replace in its own runtime; then the charge is off, no more.
func regexpSource(o *goja.Object) string {
	if s, ok := o.Get("source").(goja.String); ok {
		return s.String()
	}
	return ""
}

// mayBacktrack recognises what Go's engine cannot do.
func mayBacktrack(p string) bool {
	for i := 0; i+1 < len(p); i++ {
		if p[i] == '\\' {
			if c := p[i+1]; c >= '1' && c <= '9' || c == 'k' {
				return true
			}
			i++
		} else if p[i] == '(' && p[i+1] == '?' && i+2 < len(p) && strings.IndexByte("=!<", p[i+2]) >= 0 {
			return true
		}
	}
	return false
}

func (r *Runtime) installRegExpGuards() {
	if !r.anyWanted("exec", "test", "RegExp", "Symbol", "constructor", "compile") {
		return
	}
	proto := r.prototype("RegExp")
	matches := func(r *Runtime, call goja.FunctionCall) {
		r.subject(call.Argument(0), call.This)
		// From a later start goja converts the whole text for each match.
		r.meter.work(extent(call.Argument(0)) * 4)
	}
	r.guardMethod(proto, "exec", matches)
	r.guardMethod(proto, "test", matches)
	r.guardMethod(proto, "compile", func(r *Runtime, call goja.FunctionCall) { r.pattern(call.Argument(0)) })
	if r.anyWanted("Symbol") {
		for _, s := range []*goja.Symbol{goja.SymMatch, goja.SymMatchAll, goja.SymSearch, goja.SymSplit, goja.SymReplace} {
			original := nativeOf(proto.GetSymbol(s))
			if original == nil || !r.first(proto, s.String()) {
				continue
			}
			guarded := guardReplace(1)(r, original)
			if s != goja.SymReplace {
				guarded = func(call goja.FunctionCall) goja.Value {
					matches(r, call)
					return original(call)
				}
			}
			_ = proto.DefineDataPropertySymbol(s, r.native(guarded), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		}
	}
}

func (r *Runtime) pattern(v goja.Value) {
	text := ""
	if o, ok := v.(*goja.Object); ok && o.ClassName() == "RegExp" {
		return
	} else if !goja.IsUndefined(v) {
		text = v.String()
	}
	if reason := checkPattern(text); reason != "" {
		panic(r.syntaxError(reason))
	}
	r.meter.burn(8 + int64(len(text))/8)
}
