package sim

import (
	"fmt"
	"strconv"

	"shredder/pktproc/wire"
)

const ownKeys = 12

// ownKey returns one of the client's own keys: half of them integers, half byte
// strings, some of which look like integers but are none.
func (c *client) ownKey() string {
	n := c.random.IntN(ownKeys)
	switch n % 4 {
	case 0, 1:
		return strconv.Itoa(1000*(c.id+1) + n)
	case 2:
		return fmt.Sprintf("key:%d:%d", c.id, n)
	default:
		return fmt.Sprintf("0%d", 1000*(c.id+1)+n)
	}
}

func (c *client) randomValue() []byte {
	if c.random.IntN(4) == 0 {
		return strconv.AppendInt(nil, c.random.Int64N(1000), 10)
	}
	b := make([]byte, c.random.IntN(200))
	for i := range b {
		b[i] = byte(c.random.Uint32())
	}
	return b
}

// chooseSteps draws the operations of the next request.
func (c *client) chooseSteps() {
	c.steps = c.steps[:0]
	c.atomic = c.random.IntN(4) == 0
	for range 1 + c.random.IntN(3) {
		c.steps = append(c.steps, c.chooseStep())
	}
	if c.random.IntN(64) == 0 {
		c.atomic = false
		c.steps = []step{{code: wire.OpKill}}
	}
	c.atomic = c.atomic && distinct(c.steps)
}

// distinct tells whether no key occurs twice: in an atomic request that fails,
// the failing step's reply may depend on steps whose own replies say only ABORTED.
func distinct(steps []step) bool {
	seen := map[string]bool{}
	for _, s := range steps {
		for _, key := range append([]string{s.key, string(s.extra)}, s.keys...) {
			if key != "" && seen[key] {
				return false
			}
			seen[key] = true
		}
	}
	return true
}

func (c *client) chooseStep() step {
	key := c.ownKey()
	known := c.model.keys[key]
	switch p := c.random.IntN(100); {
	case p < 20:
		return step{code: wire.OpGet, key: key}
	case p < 38:
		s := step{code: wire.OpSet, key: key, value: c.randomValue()}
		if c.random.IntN(3) == 0 {
			s.flags = wire.OpFlagIfVersion
			s.ifVersion = known.version
			if c.random.IntN(3) == 0 {
				s.ifVersion += 1 + uint64(c.random.IntN(3))
			}
		}
		return s
	case p < 46:
		s := step{code: wire.OpDelete, key: key}
		if c.random.IntN(3) == 0 {
			s.flags, s.ifVersion = wire.OpFlagIfVersion, known.version+uint64(c.random.IntN(2))
		}
		return s
	case p < 54:
		return step{code: wire.OpIncr, key: key, delta: c.random.Int64N(2000) - 1000}
	case p < 60:
		s := step{code: wire.OpCAS, key: key, expected: known.value, value: c.randomValue()}
		if c.random.IntN(3) == 0 {
			s.expected = append([]byte("not "), known.value...)
		}
		return s
	case p < 68:
		return step{code: wire.OpMultiGet, keys: []string{c.ownKey(), c.ownKey(), c.ownKey()}}
	case p < 74:
		return step{code: wire.OpMultiGet, keys: c.tenant.pair[:]}
	case p < 80:
		return step{code: wire.OpIncr, key: c.tenant.counter, delta: 1}
	default:
		return c.chooseCall(key)
	}
}

func (c *client) chooseCall(key string) step {
	s := step{code: wire.OpCall, key: key, value: c.randomValue()}
	switch p := c.random.IntN(100); {
	case p < 25:
		s.function = "put"
	case p < 45:
		s.function, s.turns = "slow", c.random.Int64N(40_000)
	case p < 55:
		s.function = "fail"
	case p < 58:
		s.function = "forever"
	case p < 75:
		s.function = "read"
	case p < 85:
		s.function, s.key = "bump", c.tenant.counter
	default:
		s.function, s.turns = "pair", c.random.Int64N(20_000)
		s.key, s.extra = c.tenant.pair[0], []byte(c.tenant.pair[1])
	}
	return s
}
