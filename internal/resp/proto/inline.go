package proto

import "bytes"

// inline parses a request that is a line of words, as people type it.
func (r *Reader) inline(b []byte) (args [][]byte, n int, err error) {
	end := bytes.IndexByte(b[r.at:min(len(b), maxLine)], '\n')
	if end < 0 {
		if len(b) >= maxLine {
			return nil, 0, ErrInlineTooBig
		}
		r.at = len(b) // searched so far
		return nil, 0, nil
	}
	n = r.at + end + 1
	line := bytes.TrimSuffix(b[:n-1], []byte("\r"))
	r.own, r.spans = r.own[:0], r.spans[:0]
	for {
		line = bytes.TrimLeft(line, " \t\n\v\f\r\x00")
		if len(line) == 0 {
			break
		}
		start := len(r.own)
		rest, ok := r.word(line)
		if !ok {
			return nil, 0, ErrQuotes
		}
		line = rest
		r.spans = append(r.spans, span{start, len(r.own)})
	}
	return r.take(r.own), n, nil
}

// word appends the word at line's beginning to own, unquoted as Redis' sdssplitargs does,
// and returns what is behind it. A closing quote must be followed by space or nothing.
func (r *Reader) word(line []byte) (rest []byte, ok bool) {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && isSpace(c):
			return line[i:], true
		case quote == 0:
			r.own = append(r.own, c)
		case c == quote:
			if i+1 < len(line) && !isSpace(line[i+1]) {
				return nil, false
			}
			return line[i+1:], true
		case c == '\\' && i+1 < len(line) && (quote == '"' || line[i+1] == '\''):
			value, size := escape(line[i+1:], quote)
			r.own = append(r.own, value)
			i += size
		default:
			r.own = append(r.own, c)
		}
	}
	return nil, quote == 0
}

// escape reads what follows a backslash and tells its length.
func escape(b []byte, quote byte) (value byte, size int) {
	if quote == '\'' {
		return b[0], 1
	}
	if b[0] == 'x' && len(b) > 2 {
		high, ok1 := hexDigit(b[1])
		low, ok2 := hexDigit(b[2])
		if ok1 && ok2 {
			return high<<4 | low, 3
		}
	}
	switch b[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'b':
		return '\b', 1
	case 'a':
		return '\a', 1
	}
	return b[0], 1
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0 }
