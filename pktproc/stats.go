package pktproc

import (
	"strconv"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store"
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
	o.shard(t.shard.Stats())
	o.library(t.local.Engine.Active())
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
	o.limits(t.local.Limits)
	o.close()
	p.statsBuf = o.b[:0]
	p.replyLarge(r, op, o.b, false)
}

// shard writes what a tenant's arena holds, in bytes but for keys, buckets and
// expiring (keys with an expiry); version is the last one given.
func (o *jsonObject) shard(s store.Stats) {
	o.uint("keys", s.Entries)
	o.uint("version", s.Version)
	o.open("arena")
	o.uint("quota", s.Quota)
	o.uint("used", s.Used)
	o.uint("allocated", s.Allocated)
	o.uint("stored", s.Stored)
	o.uint("buckets", s.Buckets)
	o.uint("expiring", s.Expiring)
	o.close()
}

// library writes which version serves calls.
func (o *jsonObject) library(v *tenants.Version) {
	if v == nil {
		return
	}
	o.open("library")
	o.text("name", v.Library)
	o.text("hash", v.Hash.String())
	o.int("functions", int64(len(v.Functions)))
	o.close()
}

// limits writes the limits of a tenant's functions.
func (o *jsonObject) limits(l *jit.Limits) {
	o.open("limits")
	o.int("fuel", l.Fuel)
	o.int("slice", l.Slice)
	o.int("deadline_ms", l.DeadlineMillis)
	o.int("depth", int64(l.Depth))
	o.int("scratch", l.Scratch)
	o.int("result_size", int64(l.ResultSize))
	o.int("log_size", int64(l.LogSize))
	o.int("overlay_writes", int64(l.OverlayWrites))
	o.uint("overlay_bytes", l.OverlayBytes)
	o.int("source_size", int64(l.SourceSize))
	o.int("source_depth", int64(l.SourceDepth))
	o.int("functions", int64(l.Functions))
	o.int("load_fuel", l.LoadFuel)
	o.int("waiting", int64(l.Waiting))
	o.int("calls_per_second", l.CallsPerSecond)
	o.int("fuel_per_second", l.FuelPerSecond)
	o.close()
}
