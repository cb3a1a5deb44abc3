package interp

import (
	"math/big"
	"strconv"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"

	"shredder/jit/syntax"
)

// Names that no JavaScript can spell, bound as parameters of the function that
// the whole library becomes: nothing the library does can reach or replace them.
const (
	nameMeter  = "\x00m"  // an indexable whose every read burns the index
	nameGrown  = "\x00c"  // called with the result of an operation that can grow a string
	namePower  = "\x00p"  // **, whose last bit is V8's
	nameShift  = "\x00l"  // << of BigInts
	nameClosed = "\x00e"  // eval
	nameLength = "\x00n"  // .length of a typed view, which costs goja 450 ns as a property
	nameKey    = "\x00k"  // looks at a computed property name
	nameStore  = "\x00s." // a function of the store, bound directly
	nameFolded = "\x00t." // the same, taking a burn along as its last argument
)

// largestBigIntLiteral is the length of a BigInt literal's text.
const largestBigIntLiteral = 1024

// rewriter inserts the meters. It changes the tree in place; every node it
// makes has the position of the node it stands for, so that errors point into
// the tenant's source.
type rewriter struct {
	names *names
	store map[string]bool // functions of the store that are called directly
	// folded are those that take a burn along.
	folded map[string]bool
	err    *refusal
	// targets are member expressions that are written to, not read.
	targets map[ast.Expression]bool
}

// refusal is a construct that the library must not use.
type refusal struct {
	at      file.Idx
	message string
}

func (w *rewriter) refuse(at file.Idx, message string) {
	if w.err == nil {
		w.err = &refusal{at, message}
	}
}

// check refuses what cannot be metered or has no meaning here.
func (w *rewriter) check(p *ast.Program) {
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.FunctionLiteral:
			if c.Async {
				w.refuse(c.Function, "async functions do not exist here: nothing in a call waits, so remove async and await")
			}
		case *ast.ArrowFunctionLiteral:
			if c.Async {
				w.refuse(c.Start, "async functions do not exist here: nothing in a call waits, so remove async and await")
			}
		case *ast.AwaitExpression:
			w.refuse(c.Await, "await: nothing in a call waits, so remove it")
		case *ast.WithStatement:
			w.refuse(c.With, "with is not part of strict code")
		case *ast.NumberLiteral:
			if _, ok := c.Value.(*big.Int); ok && len(c.Literal) > largestBigIntLiteral {
				w.refuse(c.Idx, "a BigInt literal is too long")
			}
		case *ast.RegExpLiteral:
			if reason := checkPattern(c.Pattern); reason != "" {
				w.refuse(c.Idx, reason)
			}
		}
		return true
	})
}

// rewrite meters a whole program.
func (w *rewriter) rewrite(p *ast.Program) {
	w.check(p)
	if w.err != nil {
		return
	}
	// Prices first, from the tree as the tenant wrote it.
	costs := syntax.Prices(p)
	w.findTargets(p)
	rewriteExpressions(p, func(e ast.Expression) ast.Expression { return w.expression(e) })
	for n, cost := range costs {
		w.meterNode(n, cost)
	}
}

func (w *rewriter) findTargets(p *ast.Program) {
	w.targets = map[ast.Expression]bool{}
	syntax.Walk(p, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.AssignExpression:
			w.target(c.Left)
		case *ast.UnaryExpression:
			w.target(c.Operand)
		case *ast.ForIntoExpression:
			w.target(c.Expression)
		}
		return true
	})
}

// target marks every member expression in t: in a pattern any of them may be
// written to.
func (w *rewriter) target(t ast.Expression) {
	syntax.Walk(t, func(c ast.Node) bool {
		if dot, ok := c.(*ast.DotExpression); ok {
			w.targets[dot] = true
		}
		return true
	})
}

func (w *rewriter) meterNode(n ast.Node, cost int64) {
	switch c := n.(type) {
	case *ast.FunctionLiteral:
		w.prepend(c.Body, cost)
	case *ast.ArrowFunctionLiteral:
		switch body := c.Body.(type) {
		case *ast.BlockStatement:
			w.prepend(body, cost)
		case *ast.ExpressionBody:
			body.Expression = &ast.SequenceExpression{Sequence: []ast.Expression{burn(cost, body.Expression.Idx0()), body.Expression}}
		}
	case *ast.ForStatement:
		c.Body = w.meterBody(c.Body, cost)
	case *ast.ForInStatement:
		c.Body = w.meterBody(c.Body, cost)
	case *ast.ForOfStatement:
		c.Body = w.meterBody(c.Body, cost)
	case *ast.WhileStatement:
		c.Body = w.meterBody(c.Body, cost)
	case *ast.DoWhileStatement:
		c.Body = w.meterBody(c.Body, cost)
	case *ast.FieldDefinition:
		c.Initializer = &ast.SequenceExpression{Sequence: []ast.Expression{burn(cost, c.Initializer.Idx0()), c.Initializer}}
	case *ast.ClassStaticBlock:
		w.prepend(c.Block, cost)
	}
}

// burn makes the expression meter[cost]: reading an element of a Go-backed
// array costs half of a call.
func burn(cost int64, at file.Idx) ast.Expression {
	return &ast.BracketExpression{
		Left:        &ast.Identifier{Name: nameMeter, Idx: at},
		Member:      &ast.NumberLiteral{Idx: at, Literal: strconv.FormatInt(cost, 10), Value: cost},
		LeftBracket: at, RightBracket: at,
	}
}

func (w *rewriter) prepend(b *ast.BlockStatement, cost int64) {
	if w.fold(b.List, cost) {
		return
	}
	meter := &ast.ExpressionStatement{Expression: burn(cost, b.LeftBrace)}
	b.List = append([]ast.Statement{meter}, b.List...)
}

func (w *rewriter) meterBody(body ast.Statement, cost int64) ast.Statement {
	if b, ok := body.(*ast.BlockStatement); ok {
		w.prepend(b, cost)
		return b
	}
	at := body.Idx0()
	b := &ast.BlockStatement{LeftBrace: at, List: []ast.Statement{body}, RightBrace: at}
	w.prepend(b, cost)
	return b
}

func callHidden(name string, at file.Idx, args ...ast.Expression) ast.Expression {
	return &ast.CallExpression{
		Callee:          &ast.Identifier{Name: unistring.NewFromString(name), Idx: at},
		LeftParenthesis: at, ArgumentList: args, RightParenthesis: at,
	}
}

// expression wraps what can grow without bound, sends calls of the store to
// their functions directly and closes eval.
func (w *rewriter) expression(e ast.Expression) ast.Expression {
	switch c := e.(type) {
	case *ast.BinaryExpression:
		return w.binary(c)
	case *ast.AssignExpression:
		return w.assignment(c)
	case *ast.DotExpression:
		if id, ok := c.Left.(*ast.Identifier); ok && !w.targets[c] && w.names.isViewLength(c) {
			return callHidden(nameLength, c.Identifier.Idx, id)
		}
	case *ast.BracketExpression:
		if w.names.isComputed(c) {
			c.Member = callHidden(nameKey, c.LeftBracket, c.Member)
		}
	case *ast.TemplateLiteral:
		if c.Tag == nil && len(c.Expressions) > 0 {
			return callHidden(nameGrown, c.OpenQuote, c)
		}
	case *ast.CallExpression:
		if id, ok := c.Callee.(*ast.Identifier); ok && id.Name == "eval" {
			c.Callee = &ast.Identifier{Name: nameClosed, Idx: id.Idx}
		}
		if name := w.names.storeMember(c.Callee); storeFunctions[name] != nil {
			c.Callee = &ast.Identifier{Name: unistring.NewFromString(nameStore + name), Idx: c.Callee.Idx0()}
			w.store[name] = true
		}
	}
	return e
}

func (w *rewriter) binary(c *ast.BinaryExpression) ast.Expression {
	numbers := w.names.isNumeric(c.Left) || w.names.isNumeric(c.Right)
	switch c.Operator {
	case token.PLUS:
		if !(w.names.isNumeric(c.Left) && w.names.isNumeric(c.Right)) && !(knownShort(c.Left) && knownShort(c.Right)) {
			return callHidden(nameGrown, c.Left.Idx0(), c)
		}
	case token.MULTIPLY:
		if w.names.bigInt && !numbers {
			return callHidden(nameGrown, c.Left.Idx0(), c)
		}
	case token.EXPONENT:
		return callHidden(namePower, c.Left.Idx0(), c.Left, c.Right)
	case token.SHIFT_LEFT, token.SHIFT_RIGHT:
		if w.names.bigInt && !numbers {
			at := c.Left.Idx0()
			toRight := c.Operator == token.SHIFT_RIGHT
			return callHidden(nameShift, at, c.Left, c.Right, &ast.BooleanLiteral{Idx: at, Literal: strconv.FormatBool(toRight), Value: toRight})
		}
	}
	return c
}

func (w *rewriter) assignment(c *ast.AssignExpression) ast.Expression {
	numbers := w.names.isNumeric(c.Left) && w.names.isNumeric(c.Right)
	switch c.Operator {
	case token.PLUS:
		if !numbers {
			return callHidden(nameGrown, c.Left.Idx0(), c)
		}
	case token.MULTIPLY:
		if w.names.bigInt && !numbers {
			return callHidden(nameGrown, c.Left.Idx0(), c)
		}
	case token.EXPONENT, token.SHIFT_LEFT, token.SHIFT_RIGHT:
		if (!w.names.bigInt || numbers) && c.Operator != token.EXPONENT {
			return c
		}
		id, ok := c.Left.(*ast.Identifier)
		if !ok && (!w.names.bigInt || numbers) {
			return c
		}
		if !ok {
			w.refuse(c.Left.Idx0(), "in a library with BigInts write a = a ** b, a << b or a >> b instead of the short form on a property")
			return c
		}
		c.Right = w.binary(&ast.BinaryExpression{Operator: c.Operator, Left: &ast.Identifier{Name: id.Name, Idx: id.Idx}, Right: c.Right})
		c.Operator = token.ASSIGN
	}
	return c
}
