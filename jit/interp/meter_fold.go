package interp

import (
	"strconv"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// A burn of its own is four bytecodes, some 45 ns: a tenth of a scalar lookup.
// Where the first thing that a function or a loop turn does is to call a read
// of the store, that call takes the burn along as one more argument.
//
// Nothing that can run code of the library may come before that call:
// otherwise it could call itself without ever burning. What may come are
// names and literals; a name that is still in its dead zone throws, which
// leaves the turn for one that has burnt.

// foldedArity is how many arguments a read of the store has when it takes a
// burn along: with more or fewer the burn would not be found.
var foldedArity = func() map[string]int {
	m := map[string]int{"get": 1, "text": 1, "json": 1, "has": 1, "size": 1, "version": 1}
	for _, name := range kindNames {
		m[name], m[name+"At"] = 1, 2
	}
	return m
}()

// fold puts the burn into the first statement, or says that it cannot.
func (w *rewriter) fold(list []ast.Statement, cost int64) bool {
	if len(list) == 0 {
		return false
	}
	var call *ast.CallExpression
	switch s := list[0].(type) {
	case *ast.ExpressionStatement:
		call = w.firstRead(s.Expression)
	case *ast.ReturnStatement:
		call = w.firstRead(s.Argument)
	case *ast.IfStatement:
		call = w.firstRead(s.Test)
	case *ast.VariableStatement:
		call = w.firstReadOf(s.List[0])
	case *ast.LexicalDeclaration:
		call = w.firstReadOf(s.List[0])
	}
	if call == nil {
		return false
	}
	name := strings.TrimPrefix(call.Callee.(*ast.Identifier).Name.String(), nameStore)
	at := call.Callee.Idx0()
	call.Callee = &ast.Identifier{Name: unistring.NewFromString(nameFolded + name), Idx: at}
	call.ArgumentList = append(call.ArgumentList, &ast.NumberLiteral{Idx: at, Literal: strconv.FormatInt(cost, 10), Value: cost})
	w.folded[name] = true
	return true
}

func (w *rewriter) firstReadOf(b *ast.Binding) *ast.CallExpression {
	if _, ok := b.Target.(*ast.Identifier); !ok {
		return nil
	}
	return w.firstRead(b.Initializer)
}

// firstRead finds the read of the store that e does before anything else.
func (w *rewriter) firstRead(e ast.Expression) *ast.CallExpression {
	switch e := e.(type) {
	case *ast.CallExpression:
		return w.firstReadOfCall(e)
	case *ast.BinaryExpression:
		if inert(e.Left) && e.Operator != token.LOGICAL_AND && e.Operator != token.LOGICAL_OR && e.Operator != token.COALESCE {
			return w.firstRead(e.Right)
		}
		return w.firstRead(e.Left)
	case *ast.AssignExpression:
		switch e.Operator {
		case token.LOGICAL_AND, token.LOGICAL_OR, token.COALESCE:
			return nil
		}
		if _, ok := e.Left.(*ast.Identifier); ok {
			return w.firstRead(e.Right)
		}
	case *ast.UnaryExpression:
		if e.Operator == token.NOT {
			return w.firstRead(e.Operand)
		}
	case *ast.ConditionalExpression:
		return w.firstRead(e.Test)
	}
	return nil
}

func (w *rewriter) firstReadOfCall(c *ast.CallExpression) *ast.CallExpression {
	callee, ok := c.Callee.(*ast.Identifier)
	if !ok {
		return nil
	}
	if name, ok := strings.CutPrefix(callee.Name.String(), nameStore); ok {
		if n, ok := foldedArity[name]; !ok || n != len(c.ArgumentList) {
			return nil
		}
		for _, a := range c.ArgumentList {
			if !inert(a) {
				return nil
			}
		}
		return c
	}
	for _, a := range c.ArgumentList {
		if !inert(a) {
			return w.firstRead(a)
		}
	}
	return nil
}

// inert says that evaluating e runs no code.
func inert(e ast.Expression) bool {
	switch e.(type) {
	case *ast.Identifier, *ast.NumberLiteral, *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	}
	return false
}
