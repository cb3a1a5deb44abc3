package sim

import (
	"bytes"
	"fmt"
	"strconv"

	"shredder/pktproc/wire"
)

// A client's keys are its own, so what each reply must say follows from the
// replies before it. The pair keys are shared by all clients of a tenant and only
// ever written together; the counter keys only ever incremented.
type entry struct {
	value   []byte
	version uint64
}

// model is what one client knows of its own keys.
type model struct {
	keys    map[string]entry
	highest uint64 // the highest version seen: a new one must be above it
}

// step is one operation of a request together with what it does to the model.
type step struct {
	code      wire.Opcode
	flags     uint8
	key       string // own key, decimal text for integer keys
	value     []byte
	expected  []byte // CAS
	delta     int64
	ifVersion uint64
	keys      []string // MULTI-GET
	function  string
	turns     int64 // how long the function loops
	extra     []byte
}

func copyModel(m *model) *model {
	c := &model{keys: make(map[string]entry, len(m.keys)), highest: m.highest}
	for k, e := range m.keys {
		c.keys[k] = e
	}
	return c
}

// version takes a version that the server gave to a write.
func (m *model) version(v uint64) error {
	if v <= m.highest {
		return fmt.Errorf("version %d after %d: versions must grow", v, m.highest)
	}
	m.highest = v
	return nil
}

// write is the model's SET.
func (m *model) write(key string, value []byte, version uint64) error {
	m.keys[key] = entry{value: value, version: version}
	return m.version(version)
}

// apply checks an operation's reply against the model and applies its effect.
func (m *model) apply(s step, r wire.Op) error {
	have, present := m.keys[s.key]
	st := r.Status()
	switch s.code {
	case wire.OpGet:
		return m.applyGet(have, present, r)
	case wire.OpSet:
		if s.flags&wire.OpFlagIfVersion != 0 && s.ifVersion != have.version {
			return wantConflict(st, r.Word(0), have.version)
		}
		if st != wire.StatusOK {
			return fmt.Errorf("SET %q: status %v", s.key, st)
		}
		return m.write(s.key, s.value, r.Word(0))
	case wire.OpDelete:
		if !present {
			return want(st, wire.StatusNotFound)
		}
		if s.flags&wire.OpFlagIfVersion != 0 && s.ifVersion != have.version {
			return wantConflict(st, r.Word(0), have.version)
		}
		delete(m.keys, s.key)
		return want(st, wire.StatusOK)
	case wire.OpCAS:
		if !present {
			return want(st, wire.StatusNotFound)
		}
		if !bytes.Equal(have.value, s.expected) {
			return wantConflict(st, r.Word(0), have.version)
		}
		if st != wire.StatusOK {
			return fmt.Errorf("CAS %q: status %v", s.key, st)
		}
		return m.write(s.key, s.value, r.Word(0))
	case wire.OpIncr:
		return m.applyIncr(s, have, present, r)
	case wire.OpMultiGet:
		return m.applyMultiGet(s, r)
	case wire.OpCall:
		return m.applyCall(s, r)
	}
	return fmt.Errorf("the model knows no opcode %v", s.code)
}

func want(got, want wire.Status) error {
	if got != want {
		return fmt.Errorf("status %v, the model says %v", got, want)
	}
	return nil
}

func wantConflict(got wire.Status, version, current uint64) error {
	if got != wire.StatusConflict || version != current {
		return fmt.Errorf("status %v with version %d, the model says CONFLICT with %d", got, version, current)
	}
	return nil
}

func (m *model) applyGet(have entry, present bool, r wire.Op) error {
	if !present {
		return want(r.Status(), wire.StatusNotFound)
	}
	if r.Status() != wire.StatusOK || !bytes.Equal(r.Value(), have.value) || r.Word(0) != have.version {
		return fmt.Errorf("status %v, value %q, version %d; the model says %q, %d", r.Status(), r.Value(), r.Word(0), have.value, have.version)
	}
	return nil
}

func (m *model) applyIncr(s step, have entry, present bool, r wire.Op) error {
	n := int64(0)
	if present {
		var err error
		if n, err = strconv.ParseInt(string(have.value), 10, 64); err != nil || strconv.FormatInt(n, 10) != string(have.value) {
			return want(r.Status(), wire.StatusNotInteger)
		}
	}
	sum := n + s.delta
	if (sum > n) != (s.delta > 0) && s.delta != 0 {
		return want(r.Status(), wire.StatusOverflow)
	}
	if r.Status() != wire.StatusOK || int64(r.Word(1)) != sum {
		return fmt.Errorf("INCR %q by %d: status %v, %d; the model says %d", s.key, s.delta, r.Status(), int64(r.Word(1)), sum)
	}
	return m.write(s.key, strconv.AppendInt(nil, sum, 10), r.Word(0))
}

func (m *model) applyMultiGet(s step, r wire.Op) error {
	if r.Status() != wire.StatusOK {
		return fmt.Errorf("MULTI-GET: status %v", r.Status())
	}
	rest := r.Value()
	for _, key := range s.keys {
		f, more, st := wire.FirstFound(rest)
		if st != wire.StatusOK {
			return fmt.Errorf("MULTI-GET: the answers end before %q", key)
		}
		rest = more
		have, present := m.keys[key]
		if !present {
			if f.Status != wire.StatusNotFound {
				return fmt.Errorf("MULTI-GET %q: %v, the model says NOT_FOUND", key, f.Status)
			}
			continue
		}
		if f.Status != wire.StatusOK || f.Version != have.version || (!f.Partial && !bytes.Equal(f.Value, have.value)) {
			return fmt.Errorf("MULTI-GET %q: %v %q version %d; the model says %q, %d", key, f.Status, f.Value, f.Version, have.value, have.version)
		}
	}
	return nil
}

// Functions of the simulated library and what they do to the client's own keys.
const simLibrary = `
export function put(key, value) { store.set(key, value); return store.version(key); }
export function slow(key, value, turns) {
  store.set(key, 'half-done');
  let x = 0;
  for (let i = 0; i < turns; i++) x += i & 3;
  store.set(key, value);
  return store.version(key);
}
export function fail(key, value) { store.set(key, value); throw new Error('as asked'); }
export function forever(key, value) { store.set(key, value); for (;;) ; }
export function read(key) { const v = store.get(key); return v === undefined ? null : v; }
export function bump(key) { store.incr(key, 1); return store.text(key); }
export function pair(a, b, value, turns) {
  store.set(a, value);
  let x = 0;
  for (let i = 0; i < turns; i++) x += i & 3;
  store.set(b, value);
  return x;
}
`

// ended tells the statuses with which an operation may end through no fault of
// its own, none of which may leave a trace.
func ended(st wire.Status) bool {
	switch st {
	case wire.StatusFuel, wire.StatusDeadline, wire.StatusKilled, wire.StatusBusy, wire.StatusLimit:
		return true
	}
	return false
}

func (m *model) applyCall(s step, r wire.Op) error {
	switch s.function {
	case "fail":
		return want(r.Status(), wire.StatusException)
	case "forever":
		return fmt.Errorf("a loop without end ended with %v", r.Status())
	}
	if r.Status() != wire.StatusOK {
		return fmt.Errorf("%s: status %v: %s", s.function, r.Status(), r.Value())
	}
	result, rest, st := wire.FirstArg(r.Value())
	if st != wire.StatusOK || len(rest) != 0 {
		return fmt.Errorf("%s: the result is malformed", s.function)
	}
	switch s.function {
	case "put", "slow":
		if result.Tag() != wire.TagInt {
			return fmt.Errorf("%s returned tag %d, want its version", s.function, result.Tag())
		}
		return m.write(s.key, s.value, uint64(result.Int()))
	case "read":
		have, present := m.keys[s.key]
		if !present {
			if result.Tag() != wire.TagNull {
				return fmt.Errorf("read %q found something; the model has nothing", s.key)
			}
			return nil
		}
		if result.Tag() != wire.TagBytes || !bytes.Equal(result.Bytes(), have.value) {
			return fmt.Errorf("read %q = %q, the model says %q", s.key, result.Bytes(), have.value)
		}
	}
	return nil
}
