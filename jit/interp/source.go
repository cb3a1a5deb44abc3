package interp

import (
	"strings"
	"unicode/utf8"

	"shredder/jit"
)

// SourceError says why a library is refused. Line and Column count from 1,
// columns in characters; 0 if there is no position.
type SourceError struct {
	Line, Column int
	Message      string
}

func (e *SourceError) Error() string { return e.Message }

// chainLength bounds operators in one run between separators: parsers and
// compilers recurse over such chains (a+b+c…, !!!x, a.b.c) as over brackets.
const chainLength = 2048

// scanner reads a library before any parser does. It knows just enough of the
// language to follow brackets, strings, templates, comments and regular
// expressions, and to find top-level export and import.
type scanner struct {
	src      []byte
	pos      int
	maxDepth int
	levels   []level
	// The last significant token: decides whether a slash divides.
	lastByte byte
	lastWord string
	exports  []exportMark
}

// level is one open bracket and the length of the operator chain in it.
type level struct {
	open  byte // ( [ { or ` for the code part of a template
	chain int
}

// exportMark is a blanked export: where the declaration behind it begins.
type exportMark struct{ keyword, declaration int }

// scanSource checks size, encoding and nesting of src and returns a copy whose
// export keywords are blanked with spaces, so that every position holds, and
// where the exported declarations begin.
func scanSource(src []byte, l *jit.Limits) (blanked []byte, exports []exportMark, err *SourceError) {
	if len(src) > l.SourceSize {
		return nil, nil, &SourceError{Message: "the library is larger than the limit on its source"}
	}
	if !utf8.Valid(src) {
		return nil, nil, &SourceError{Message: "the library is not UTF-8"}
	}
	s := &scanner{src: src, maxDepth: l.SourceDepth, levels: make([]level, 1, 16)}
	for s.pos < len(src) {
		if e := s.token(); e != nil {
			return nil, nil, e
		}
	}
	if len(s.levels) > 1 {
		return nil, nil, s.errorAt(len(src), "the library ends inside a bracket that is not closed")
	}
	blanked = append([]byte(nil), src...)
	for _, m := range s.exports {
		copy(blanked[m.keyword:], "      ")
	}
	return blanked, s.exports, nil
}

func (s *scanner) errorAt(pos int, message string) *SourceError {
	line, column := position(s.src, pos)
	return &SourceError{Line: line, Column: column, Message: message}
}

// position converts an offset to line and column, both from 1.
func position(src []byte, pos int) (line, column int) {
	pos = min(max(pos, 0), len(src))
	before := string(src[:pos])
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// token consumes one token or one stretch of space or comment.
func (s *scanner) token() *SourceError {
	c := s.src[s.pos]
	switch {
	case c <= ' ':
		s.pos++
	case c == '/' && s.at(1) == '/':
		s.skipLine()
	case c == '/' && s.at(1) == '*':
		end := strings.Index(string(s.src[s.pos+2:]), "*/")
		if end < 0 {
			return s.errorAt(s.pos, "a comment is not closed")
		}
		s.pos += end + 4
	case c == '"' || c == '\'':
		return s.quoted(c)
	case c == '`':
		s.pos++
		return s.template()
	case c == '/' && s.slashBegins():
		return s.regexp()
	case wordByte(c):
		return s.word()
	default:
		return s.punctuation(c)
	}
	return nil
}

func (s *scanner) at(n int) byte {
	if s.pos+n < len(s.src) {
		return s.src[s.pos+n]
	}
	return 0
}

func (s *scanner) skipLine() {
	for s.pos < len(s.src) && s.src[s.pos] != '\n' {
		s.pos++
	}
}

func (s *scanner) quoted(quote byte) *SourceError {
	start := s.pos
	for s.pos++; s.pos < len(s.src); s.pos++ {
		switch s.src[s.pos] {
		case '\\':
			s.pos++
		case '\n':
			return s.errorAt(start, "a string is not closed on its line")
		case quote:
			s.pos++
			s.last('"', "")
			return nil
		}
	}
	return s.errorAt(start, "a string is not closed")
}

// template consumes the text of a template up to its end or to a ${.
func (s *scanner) template() *SourceError {
	start := s.pos
	for ; s.pos < len(s.src); s.pos++ {
		switch s.src[s.pos] {
		case '\\':
			s.pos++
		case '`':
			s.pos++
			s.last('"', "")
			return nil
		case '$':
			if s.at(1) == '{' {
				s.pos += 2
				s.last('{', "")
				return s.push('`', start)
			}
		}
	}
	return s.errorAt(start, "a template is not closed")
}

func (s *scanner) regexp() *SourceError {
	start, class := s.pos, false
	for s.pos++; s.pos < len(s.src); s.pos++ {
		switch c := s.src[s.pos]; {
		case c == '\\':
			s.pos++
		case c == '\n':
			return s.errorAt(start, "a regular expression is not closed on its line")
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			for s.pos++; s.pos < len(s.src) && wordByte(s.src[s.pos]); s.pos++ {
			}
			s.last('"', "")
			return nil
		}
	}
	return s.errorAt(start, "a regular expression is not closed")
}

// slashBegins says that a slash here begins a regular expression. Behind ) and
// } it is taken as a division: then a regular expression there is scanned as
// code, which at worst refuses it or misses nesting that its own length bounds.
func (s *scanner) slashBegins() bool {
	switch s.lastByte {
	case ')', ']', '}', '"':
		return false
	case 'a':
		switch s.lastWord {
		case "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "instanceof", "else", "do", "yield":
			return true
		}
		return false
	}
	return true
}

func (s *scanner) last(c byte, word string) { s.lastByte, s.lastWord = c, word }

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '#' || c == '\\' || c >= 0x80
}

func (s *scanner) word() *SourceError {
	start := s.pos
	for s.pos < len(s.src) && wordByte(s.src[s.pos]) {
		s.pos++
	}
	word := string(s.src[start:s.pos])
	begins := len(s.levels) == 1 && (s.lastByte == 0 || s.lastByte == ';' || s.lastByte == '}' || s.newlineBefore(start))
	switch word {
	case "export":
		if begins {
			return s.export(start)
		}
	case "import":
		if s.lastByte != '.' && (begins || s.nextByte() == '(') {
			return s.errorAt(start, "import: a library is one self-contained script; bundle what it needs into it (shredder fn deploy does so)")
		}
	case "typeof", "void", "delete", "new", "in", "instanceof", "yield", "if", "for", "while", "do", "with":
		if e := s.chain(start); e != nil {
			return e
		}
	}
	s.last('a', word)
	return nil
}

func (s *scanner) newlineBefore(pos int) bool {
	for pos--; pos >= 0 && s.src[pos] <= ' '; pos-- {
		if s.src[pos] == '\n' {
			return true
		}
	}
	return pos < 0
}

// skipSpace moves over white space and comments.
func (s *scanner) skipSpace() {
	for s.pos < len(s.src) {
		switch {
		case s.src[s.pos] <= ' ':
			s.pos++
		case s.src[s.pos] == '/' && s.at(1) == '/':
			s.skipLine()
		case s.src[s.pos] == '/' && s.at(1) == '*':
			end := strings.Index(string(s.src[s.pos+2:]), "*/")
			if end < 0 {
				return
			}
			s.pos += end + 4
		default:
			return
		}
	}
}

func (s *scanner) nextByte() byte {
	saved := s.pos
	s.skipSpace()
	c := s.at(0)
	s.pos = saved
	return c
}

// export handles a top-level export: what stands behind it must be a
// declaration.
func (s *scanner) export(start int) *SourceError {
	s.skipSpace()
	declaration := s.pos
	for s.pos < len(s.src) && wordByte(s.src[s.pos]) {
		s.pos++
	}
	word := string(s.src[declaration:s.pos])
	switch word {
	case "function":
		if s.nextByte() == '*' {
			return s.errorAt(start, "a generator cannot be exported: export a function that runs it and returns the result")
		}
	case "const", "let", "var", "class":
	case "async":
		return s.errorAt(start, "an async function cannot be exported: nothing in a call waits, so remove async and await")
	case "default":
		return s.errorAt(start, "export default: give the function a name and export it by that, as in: export function name() {}")
	default:
		return s.errorAt(start, "only declarations can be exported here, as in: export function name() {} (shredder fn deploy bundles export lists away)")
	}
	s.exports = append(s.exports, exportMark{start, declaration})
	s.pos = declaration
	s.last(';', "")
	return nil
}

// chain counts an operator of the current bracket.
func (s *scanner) chain(pos int) *SourceError {
	top := &s.levels[len(s.levels)-1]
	if top.chain++; top.chain > chainLength {
		return s.errorAt(pos, "an expression has too many operators in a row: split it up")
	}
	return nil
}

func (s *scanner) push(open byte, pos int) *SourceError {
	if e := s.chain(pos); e != nil {
		return e
	}
	if len(s.levels) > s.maxDepth {
		return s.errorAt(pos, "brackets are nested too deeply")
	}
	s.levels = append(s.levels, level{open: open})
	return nil
}

func (s *scanner) punctuation(c byte) *SourceError {
	start := s.pos
	s.pos++
	switch c {
	case '(', '[', '{':
		s.last(c, "")
		return s.push(c, start)
	case ')', ']', '}':
		top := s.levels[len(s.levels)-1]
		s.levels = s.levels[:len(s.levels)-1]
		if len(s.levels) == 0 || !matches(top.open, c) {
			return s.errorAt(start, "a closing bracket has no opening one")
		}
		s.last(c, "")
		if top.open == '`' {
			return s.template()
		}
		if c == '}' {
			s.levels[len(s.levels)-1].chain = 0
		}
	case ';', ',':
		s.levels[len(s.levels)-1].chain = 0
		s.last(c, "")
	case '+', '-':
		if s.at(0) == c {
			s.pos++
			// Behind x++ a slash divides; ++/re/ is no program.
			s.last(')', "")
			return s.chain(start)
		}
		s.last(c, "")
		return s.chain(start)
	default:
		s.last(c, "")
		return s.chain(start)
	}
	return nil
}

func matches(open, close byte) bool {
	switch close {
	case ')':
		return open == '('
	case ']':
		return open == '['
	}
	return open == '{' || open == '`'
}
