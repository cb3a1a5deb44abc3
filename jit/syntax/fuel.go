package syntax

import (
	"reflect"

	"github.com/dop251/goja/ast"
)

// One unit of fuel is burnt for NodesPerFuel syntax nodes of a body, and for
// BytesPerFuel bytes of work in operations whose work grows with size.
const (
	NodesPerFuel = 16
	BytesPerFuel = 64
)

// Prices gives what each function of a program burns when entered and each loop
// for each turn: one unit and those of its nodes. The tree must be as the tenant
// wrote it.
func Prices(p *ast.Program) map[ast.Node]int64 {
	costs := map[ast.Node]int64{}
	Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
			costs[c] = 1 + countNodes(c)/NodesPerFuel
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
		case *ast.FieldDefinition:
			if c.Initializer != nil {
				costs[c] = 1 + countNodes(c.Initializer)/NodesPerFuel
			}
		case *ast.ClassStaticBlock:
			costs[c] = 1 + countNodes(c.Block)/NodesPerFuel
		}
		return true
	})
	return costs
}

func turnCost(body ast.Node, parts ...ast.Node) int64 {
	return 1 + (countNodes(body)+countParts(parts...))/NodesPerFuel
}

// countNodes counts the nodes of n that run when n runs once: not those of
// functions and loop bodies within, which have meters of their own.
func countNodes(n ast.Node) int64 {
	var count int64
	Walk(n, func(c ast.Node) bool {
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
