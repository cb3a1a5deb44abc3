package compile

// variable is a binding of the library while it is lowered. It lives through
// all passes of a compilation.
type variable struct {
	name     string
	storage  Type // holds everything assigned so far; decides the representation
	constant bool
	// Of the current pass:
	pass          int
	local, local2 int
}

// fact is something known where control has got to: index is not negative and
// below view's length.
type fact struct{ index, view *variable }

// flow is what is known at one point of a function: the types of its
// variables, and facts. nil means the point is not reached.
type flow struct {
	types map[*variable]Type
	facts map[fact]bool
}

func newFlow() *flow { return &flow{types: map[*variable]Type{}, facts: map[fact]bool{}} }

func (f *flow) clone() *flow {
	if f == nil {
		return nil
	}
	c := &flow{types: make(map[*variable]Type, len(f.types)), facts: make(map[fact]bool, len(f.facts))}
	for v, t := range f.types {
		c.types[v] = t
	}
	for k := range f.facts {
		c.facts[k] = true
	}
	return c
}

// forget drops the facts about a variable that is assigned.
func (f *flow) forget(v *variable) {
	for k := range f.facts {
		if k.index == v || k.view == v {
			delete(f.facts, k)
		}
	}
}

// merge is what is known where two ways meet.
func merge(a, b *flow) *flow {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	out := newFlow()
	for v, t := range a.types {
		if u, ok := b.types[v]; ok {
			// Both are within the variable's storage, so the join exists.
			out.types[v], _ = join(t, u)
		}
	}
	for k := range a.facts {
		if b.facts[k] {
			out.facts[k] = true
		}
	}
	return out
}

// loopState is what passes remember of a loop: the types at its head, as its
// back edges gave them.
type loopState struct {
	types map[*variable]Type
	turns map[*variable]int
}

// instance is one lowering of a function's body: as a function of its own, or
// inlined at one call.
type instance struct {
	vars      map[any]*variable
	children  map[any]*instance
	loops     map[any]*loopState
	cells     map[any]*cell
	result    Type
	resultVar *variable // inlined: what return assigns
}

func newInstance() *instance {
	return &instance{vars: map[any]*variable{}, children: map[any]*instance{}, loops: map[any]*loopState{}, cells: map[any]*cell{}}
}

func (i *instance) child(key any) *instance {
	c := i.children[key]
	if c == nil {
		c = newInstance()
		i.children[key] = c
	}
	return c
}

func (i *instance) variable(key any, name string) *variable {
	v := i.vars[key]
	if v == nil {
		v = &variable{name: name}
		i.vars[key] = v
	}
	return v
}

// binding is what a name means: a variable, or a function known when compiling.
type binding struct {
	variable *variable
	closure  *closure
	record   *record
	declared bool // its declaration has been passed
}

// closure is a function value that does not escape: it is inlined where it is called.
type closure struct {
	node  any // *ast.FunctionLiteral or *ast.ArrowFunctionLiteral
	scope *scope
}

// scope maps names to bindings, block by block.
type scope struct {
	names  map[string]*binding
	parent *scope
}

func newScope(parent *scope) *scope { return &scope{names: map[string]*binding{}, parent: parent} }

func (s *scope) find(name string) *binding {
	for ; s != nil; s = s.parent {
		if b := s.names[name]; b != nil {
			return b
		}
	}
	return nil
}
