package wasm

import (
	"errors"
	"fmt"

	"shredder/jit/compile"
)

// Guess is what is known of a function before anybody has called it.
type Guess struct {
	Kinds   []compile.Kind   // it compiles for these
	Size    int              // bytes of code
	Refusal *compile.Refusal // or for none that were tried; this is the one that came furthest
}

// Guess compiles a function for types that its arguments may well have: all
// integers, strings or bytes, then each of them in turn for one argument among
// integers. What compiles for none of them is not likely to for others. It takes up
// to a second for each type list; the answer is remembered.
func (l *Library) Guess(function string) (Guess, error) {
	l.mu.Lock()
	g, ok := l.guesses[function]
	l.mu.Unlock()
	if ok {
		return g, nil
	}
	for _, kinds := range guessKinds(l.source.Params(function)) {
		m, err := l.Compile(function, kinds, nil)
		if err == nil {
			g = Guess{Kinds: kinds, Size: m.Size()}
			break
		}
		var r *compile.Refusal
		if !errors.As(err, &r) {
			return Guess{}, err
		}
		if g.Refusal == nil || r.Line > g.Refusal.Line || r.Line == g.Refusal.Line && r.Column > g.Refusal.Column {
			g.Refusal = r
		}
	}
	l.mu.Lock()
	l.guesses[function] = g
	l.mu.Unlock()
	return g, nil
}

func guessKinds(params int) (lists [][]compile.Kind) {
	params = min(params, maxArguments)
	fill := func(k compile.Kind) []compile.Kind {
		list := make([]compile.Kind, params)
		for i := range list {
			list[i] = k
		}
		return list
	}
	lists = append(lists, fill(compile.KindInt))
	if params == 0 {
		return lists
	}
	lists = append(lists, fill(compile.KindString), fill(compile.KindBytes), fill(compile.KindDouble))
	for i := 0; params > 1 && i < params; i++ {
		for _, k := range []compile.Kind{compile.KindString, compile.KindBytes} {
			list := fill(compile.KindInt)
			list[i] = k
			lists = append(lists, list)
		}
	}
	return lists
}

// KindNames lists argument types as people read them.
func KindNames(kinds []compile.Kind) []string {
	names := []string{}
	for _, k := range kinds {
		if int(k) < len(kindNames) {
			names = append(names, kindNames[k])
		} else {
			names = append(names, fmt.Sprint("type ", k))
		}
	}
	return names
}

var kindNames = [...]string{compile.KindUndefined: "undefined", compile.KindNull: "null", compile.KindBool: "boolean",
	compile.KindInt: "integer", compile.KindDouble: "double", compile.KindString: "string", compile.KindBytes: "bytes",
	compile.KindText: "string beyond ASCII", compile.KindJSON: "JSON"}
