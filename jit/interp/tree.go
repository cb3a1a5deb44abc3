package interp

import (
	"math/big"
	"reflect"

	"github.com/dop251/goja/ast"
)

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
