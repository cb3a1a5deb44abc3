package compile

import (
	"math/big"
	"reflect"

	"github.com/dop251/goja/ast"
)

// Fuel is defined on the source (design.md §5), so that every tier burns the
// same; these are the prices that tier 0's meter puts into the tree.

// nodesPerFuel is how many syntax nodes of a body burn one unit, bytesPerFuel
// how many bytes of work do.
const (
	nodesPerFuel = 16
	bytesPerFuel = 64
)

// fuelCosts gives what a function burns when entered and a loop for each turn.
func fuelCosts(p *ast.Program) map[ast.Node]int64 {
	costs := map[ast.Node]int64{}
	walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
			costs[c] = 1 + countNodes(c)/nodesPerFuel
		case *ast.ForStatement:
			costs[c] = turnCost(c.Body, c.Test, c.Update)
		case *ast.ForInStatement:
			costs[c] = turnCost(c.Body)
		case *ast.ForOfStatement:
			costs[c] = turnCost(c.Body)
		case *ast.WhileStatement:
			costs[c] = turnCost(c.Body, c.Test)
		case *ast.DoWhileStatement:
			costs[c] = turnCost(c.Body, c.Test)
		}
		return true
	})
	return costs
}

func turnCost(body ast.Node, parts ...ast.Node) int64 {
	return 1 + (countNodes(body)+countParts(parts...))/nodesPerFuel
}

// countNodes counts the nodes of n that run when n runs once: not those of
// functions and loop bodies within, which have prices of their own.
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

var nodeType = reflect.TypeOf((*ast.Node)(nil)).Elem()

// walk calls visit for n and everything below it in source order; a visit that
// returns false keeps walk out of what is below. DeclarationList fields repeat
// nodes that stand in the tree already and are left out.
func walk(n ast.Node, visit func(ast.Node) bool) {
	if !visit(n) {
		return
	}
	v := reflect.ValueOf(n)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeOf(big.Int{}) {
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "DeclarationList" && name != "File" {
				walkValue(v.Field(i), visit)
			}
		}
	}
}

func walkValue(v reflect.Value, visit func(ast.Node) bool) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), visit)
		}
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			if n, ok := v.Interface().(ast.Node); ok {
				walk(n, visit)
			}
		}
	case reflect.Struct:
		if v.CanAddr() && v.Addr().Type().Implements(nodeType) {
			walk(v.Addr().Interface().(ast.Node), visit)
		}
	}
}
