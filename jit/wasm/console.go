package wasm

import (
	"math"
	"strconv"

	"shredder/jit"
	"shredder/jit/compile"

	"shredder/jit/syntax"
)

// consoleLines holds a call's console lines until it has ended for good.
type consoleLines struct {
	room  int
	line  []byte // being written
	text  []byte
	lines []consoleLine
}

type consoleLine struct {
	level uint8
	end   int
}

// perLine is what a line takes of the room besides its text, so that empty
// lines are bounded, too.
const perLine = 16

func (c *consoleLines) reset(room int) {
	c.room, c.line, c.text, c.lines = room, c.line[:0], c.text[:0], c.lines[:0]
}

// piece begins the next piece of a line; false: the line is longer than the room.
func (c *consoleLines) piece(index uint64) bool {
	if uint32(index) > 0 {
		if len(c.line) > c.room {
			return false
		}
		c.line = append(c.line, ' ')
	}
	return true
}

func (c *consoleLines) deliver(log func(uint8, []byte)) {
	start := 0
	for _, line := range c.lines {
		log(line.level, c.text[start:line.end])
		start = line.end
	}
}

func hostLogNumber(i *Instance, s []uint64) {
	c := &i.console
	if !c.piece(s[1]) {
		return
	}
	if s[0]&^3 != compile.SentinelBits {
		c.line = appendNumber(c.line, math.Float64frombits(s[0]))
		return
	}
	switch code := s[0] & 3; code {
	case compile.CodeUndefined:
		c.line = append(c.line, "undefined"...)
	case compile.CodeNull:
		c.line = append(c.line, "null"...)
	default:
		c.line = strconv.AppendBool(c.line, code == compile.CodeTrue)
	}
}

func hostLogText(i *Instance, s []uint64) {
	c := &i.console
	if !c.piece(s[2]) {
		return
	}
	switch uint32(s[0]) {
	case 0:
		c.line = append(c.line, "undefined"...)
	case 1:
		c.line = append(c.line, "null"...)
	default:
		c.line = i.textAt(s[0], s[1]).appendUTF8(c.line)
	}
}

// hostLogLine ends a line: one unit, and one per 64 bytes.
func hostLogLine(i *Instance, s []uint64) {
	c := &i.console
	left := i.meter.spent(int64(s[0]) - 1)
	if n := int64(len(c.line)); left >= 0 && n >= syntax.BytesPerFuel {
		left = i.meter.work(left, n)
	}
	if left >= 0 && c.room >= perLine {
		before := len(c.text)
		c.text = appendValid(c.text, c.line[:min(len(c.line), c.room-perLine)])
		c.room -= len(c.text) - before + perLine
		c.lines = append(c.lines, consoleLine{uint8(s[1]), len(c.text)})
	}
	c.line = c.line[:0]
	s[0] = uint64(left)
}

// tell hands the lines over, unless the call is to run again.
func (i *Instance) tell(inv *jit.Invocation, o *jit.Outcome) {
	if inv.Log == nil || o.Status == jit.Preempted || o.Status == jit.Deopt {
		return
	}
	i.console.deliver(inv.Log)
	if o.Status == jit.Exception {
		inv.Log(jit.LevelError, o.Message)
	}
}
