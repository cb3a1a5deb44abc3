// Package syntax reads goja's syntax trees for every tier alike: a walker, and the
// prices of fuel, which are defined on the source so that all tiers burn the same.
//
// Everything here is a pure function and may be called from any thread; trees
// must not change meanwhile.
package syntax

import (
	"reflect"

	"github.com/dop251/goja/ast"
)

// The functions below go over goja's syntax trees by reflection: some sixty node
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

// Walk calls visit for n and everything below it; a visit that returns false
// keeps Walk out of what is below.
func Walk(n ast.Node, visit func(ast.Node) bool) {
	if visit(n) {
		children(n, func(c ast.Node) { Walk(c, visit) })
	}
}
