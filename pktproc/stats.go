package pktproc

import (
	"strconv"

	"shredder/pktproc/wire"
	"shredder/tenants"
)

// jsonObject writes a JSON object of numbers and plain names into a buffer.
type jsonObject struct{ b []byte }

func (o *jsonObject) open(name string) {
	o.key(name)
	o.b = append(o.b, '{')
}

func (o *jsonObject) close() { o.b = append(o.b, '}') }

func (o *jsonObject) key(name string) {
	if last := o.b[len(o.b)-1]; last != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *jsonObject) uint(name string, v uint64) {
	o.key(name)
	o.b = strconv.AppendUint(o.b, v, 10)
}

func (o *jsonObject) int(name string, v int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

// text writes a string value, escaped as JSON wants it.
func (o *jsonObject) text(name, v string) {
	o.key(name)
	o.b = append(o.b, '"')
	for i := range len(v) {
		switch c := v[i]; {
		case c == '"' || c == '\\':
			o.b = append(o.b, '\\', c)
		case c < 0x20:
			o.b = append(o.b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			o.b = append(o.b, c)
		}
	}
	o.b = append(o.b, '"')
}

// stats executes STATS: a JSON object with the tenant's counters, limits,
// memory and what this lcore keeps for it.
func (p *Processor) stats(r *request, op wire.Op) {
	t := r.t
	o := jsonObject{b: append(p.statsBuf[:0], '{')}
	o.text("tenant", t.local.Name)
	o.uint("id", uint64(t.local.ID))
	o.int("home", int64(t.local.Home))
	o.text("trust", t.local.Trust.String())
	o.int("keys", int64(t.shard.Len()))
	o.uint("version", t.shard.Version())
	p.statsShard(&o, t)
	o.open("counters")
	for i, v := range t.local.Counters {
		o.uint(tenants.Counter(i).String(), v)
	}
	o.close()
	o.open("now")
	o.int("sessions", int64(t.sessions))
	o.int("waiting", int64(t.waiting))
	o.int("pushes", int64(t.pushes))
	o.int("kept_result_bytes", int64(t.resultSize))
	o.int("recorded_bytes", int64(t.recordSize))
	o.close()
	p.statsLimits(&o, t)
	o.close()
	p.statsBuf = o.b[:0]
	p.replyLarge(r, op, o.b, false)
}
