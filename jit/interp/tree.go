package interp

import (
	"math/big"
	"reflect"

	"github.com/dop251/goja/ast"
)

// The walkers below go over goja's syntax trees by reflection: some sixty node
// types, and control threads have the time. DeclarationList fields repeat nodes
// that stand in the tree already and are left out.

var nodeType = reflect.TypeOf((*ast.Node)(nil)).Elem()

// children calls visit for each node directly below n, in source order.
func children(n ast.Node, visit func(ast.Node)) {
	v := reflect.ValueOf(n)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct {
		fields(v, visit)
	}
}

func fields(v reflect.Value, visit func(ast.Node)) {
	t := v.Type()
	for i := 0; i < v.NumField(); i++ {
		if t.Field(i).Name == "DeclarationList" || t.Field(i).Name == "File" {
			continue
		}
		values(v.Field(i), visit)
	}
}

func values(v reflect.Value, visit func(ast.Node)) {
	switch v.Kind() {
	case reflect.Slice:
		for i := 0; i < v.Len(); i++ {
			values(v.Index(i), visit)
		}
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return
		}
		if n, ok := v.Interface().(ast.Node); ok {
			visit(n)
		}
	case reflect.Struct:
		if v.CanAddr() && v.Addr().Type().Implements(nodeType) {
			visit(v.Addr().Interface().(ast.Node))
		}
	}
}

// walk calls visit for n and everything below it; a visit that returns false
// keeps walk out of what is below.
func walk(n ast.Node, visit func(ast.Node) bool) {
	if visit(n) {
		children(n, func(c ast.Node) { walk(c, visit) })
	}
}

// countNodes counts the nodes of n that run when n runs once: not those of
// functions and loop bodies within, which have meters of their own.
func countNodes(n ast.Node) int64 {
	var count int64
	walk(n, func(c ast.Node) bool {
		count++
		switch c := c.(type) {
		case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
			return c == n
		case *ast.ForStatement:
			count += countParts(c.Initializer, c.Test, c.Update)
			return false
		case *ast.ForInStatement:
			count += countNodes(c.Source)
			return false
		case *ast.ForOfStatement:
			count += countNodes(c.Source)
			return false
		case *ast.WhileStatement:
			count += countNodes(c.Test)
			return false
		case *ast.DoWhileStatement:
			count += countNodes(c.Test)
			return false
		}
		return true
	})
	return count
}

func countParts(parts ...ast.Node) (count int64) {
	for _, p := range parts {
		if p != nil && !reflect.ValueOf(p).IsNil() {
			count += countNodes(p)
		}
	}
	return count
}

// rewriteExpressions replaces every expression below n, innermost first, by
// what replace makes of it.
func rewriteExpressions(n ast.Node, replace func(ast.Expression) ast.Expression) {
	v := reflect.ValueOf(n)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	rewriteValue(v, replace)
}

func rewriteValue(v reflect.Value, replace func(ast.Expression) ast.Expression) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeOf(big.Int{}) {
			return
		}
		t := v.Type()
		for i := 0; i < v.NumField(); i++ {
			if name := t.Field(i).Name; name == "DeclarationList" || name == "File" {
				continue
			}
			rewriteValue(v.Field(i), replace)
		}
	case reflect.Slice:
		for i := 0; i < v.Len(); i++ {
			rewriteValue(v.Index(i), replace)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			rewriteValue(v.Elem(), replace)
		}
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		rewriteValue(v.Elem(), replace)
		if e, ok := v.Interface().(ast.Expression); ok && v.CanSet() {
			if r := reflect.ValueOf(replace(e)); r.Type().Implements(v.Type()) {
				v.Set(r)
			}
		}
	}
}
