package interp

import (
	"math/big"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// numericStore lists the store's functions that return a number or undefined.
var numericStore = map[string]bool{"size": true, "version": true, "u8At": true, "i8At": true, "u16At": true, "i16At": true,
	"u32At": true, "i32At": true, "f32At": true, "f64At": true, "incr": true, "sum": true, "sumLengths": true, "has": true, "delete": true}

var viewStore = map[string]bool{"get": true, "u8": true, "i8": true, "u16": true, "i16": true, "u32": true, "i32": true, "f32": true, "f64": true}

// storeCall returns the name of the store function that e calls, or "".
func (n *names) storeCall(e ast.Expression) string {
	call, ok := e.(*ast.CallExpression)
	if !ok {
		return ""
	}
	return n.storeMember(call.Callee)
}

// storeMember returns name when e is store.name of the real store.
func (n *names) storeMember(e ast.Expression) string {
	dot, ok := e.(*ast.DotExpression)
	if !ok || n.bound["store"] {
		return ""
	}
	if id, ok := dot.Left.(*ast.Identifier); ok && id.Name == "store" {
		return dot.Identifier.Name.String()
	}
	return ""
}

func (n *names) isView(e ast.Expression) bool { return viewStore[n.storeCall(e)] }

// isNumeric says that e can only be a number, a boolean, null or undefined:
// adding such values never makes a string, and as a property name they name no
// builtin.
func (n *names) isNumeric(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.NumberLiteral:
		_, isBig := e.Value.(*big.Int)
		return !isBig
	case *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	case *ast.Identifier:
		name := e.Name.String()
		return n.numeric[name] || !n.bound[name] && (name == "undefined" || name == "NaN" || name == "Infinity")
	case *ast.UnaryExpression:
		switch e.Operator {
		case token.NOT, token.VOID, token.DELETE, token.PLUS:
			return true
		case token.TYPEOF:
			return false
		}
		return !n.bigInt || n.isNumeric(e.Operand)
	case *ast.BinaryExpression:
		return n.isNumericBinary(e)
	case *ast.AssignExpression:
		switch e.Operator {
		case token.ASSIGN:
			return n.isNumeric(e.Right)
		case token.PLUS, token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE:
			return n.isNumeric(e.Left) && n.isNumeric(e.Right)
		}
		return !n.bigInt || n.isNumeric(e.Right)
	case *ast.ConditionalExpression:
		return n.isNumeric(e.Consequent) && n.isNumeric(e.Alternate)
	case *ast.SequenceExpression:
		return n.isNumeric(e.Sequence[len(e.Sequence)-1])
	case *ast.DotExpression:
		return n.isViewLength(e)
	case *ast.BracketExpression:
		id, ok := e.Left.(*ast.Identifier)
		return ok && n.views[id.Name.String()] && n.isNumeric(e.Member)
	case *ast.CallExpression:
		if numericStore[n.storeCall(e)] {
			return true
		}
		id, ok := e.Callee.(*ast.Identifier)
		if ok && id.Name == namePower { // ** after it was rewritten
			return !n.bigInt || n.isNumeric(e.ArgumentList[0]) || n.isNumeric(e.ArgumentList[1])
		}
		return ok && n.returns[id.Name.String()]
	}
	return false
}

// isViewLength recognises view.length, where nothing can have changed what
// length means.
func (n *names) isViewLength(e *ast.DotExpression) bool {
	id, ok := e.Left.(*ast.Identifier)
	return ok && e.Identifier.Name == "length" && n.views[id.Name.String()] && !n.exotic && !n.dynamic && !n.computed
}

func (n *names) isNumericBinary(e *ast.BinaryExpression) bool {
	switch e.Operator {
	case token.PLUS, token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE:
		return n.isNumeric(e.Left) && n.isNumeric(e.Right)
	case token.LESS, token.GREATER, token.LESS_OR_EQUAL, token.GREATER_OR_EQUAL, token.EQUAL, token.NOT_EQUAL,
		token.STRICT_EQUAL, token.STRICT_NOT_EQUAL, token.INSTANCEOF, token.IN:
		return true
	}
	// The other operators make numbers, unless both sides are BigInts.
	return !n.bigInt || n.isNumeric(e.Left) || n.isNumeric(e.Right)
}

// knownShort says that e makes a string of bounded length or none at all.
func knownShort(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.StringLiteral:
		return true
	case *ast.TemplateLiteral:
		return len(e.Expressions) == 0
	}
	return false
}

// wanted says that the program can reach a property of that name, other than
// by a computed name.
func (n *names) wanted(name string) bool {
	return n.dynamic || n.spelled[name] || strings.HasPrefix(name, "@@")
}

// reachable says that the program can reach it, computed names included.
func (n *names) reachable(name string) bool { return n.computed || n.wanted(name) }
