package pktproc

import "math/bits"

// rateTable limits events per source address in bounded memory: token buckets
// in a table indexed by a keyed hash. Sources that collide share a bucket,
// which the key keeps an attacker from choosing. An IPv6 source is its /64.
type rateTable struct {
	buckets []rateBucket
	key     [2]uint64
	perSec  uint32
	burst   uint32
}

type rateBucket struct {
	milli uint32 // tokens left, in thousandths
	stamp uint32 // when that was, in ms
}

// newRateTable makes a table of count buckets, a power of two, full.
func newRateTable(count int, perSec, burst uint32, key [2]uint64) rateTable {
	r := rateTable{buckets: make([]rateBucket, count), key: key, perSec: perSec, burst: burst}
	for i := range r.buckets {
		r.buckets[i].milli = burst * 1000
	}
	return r
}

func (r *rateTable) bucket(addr [2]uint64) *rateBucket {
	host := addr[1]
	if addr[0] != 0 {
		host = 0 // IPv6: the network only
	}
	hi, lo := bits.Mul64(addr[0]^r.key[0], 0x9e3779b97f4a7c15)
	h := hi ^ lo ^ host ^ r.key[1]
	hi, lo = bits.Mul64(h, 0xd6e8feb86659fd93)
	return &r.buckets[(hi^lo)&uint64(len(r.buckets)-1)]
}

func (r *rateTable) refill(b *rateBucket, nowMillis uint32) {
	passed := uint64(nowMillis - b.stamp)
	b.stamp = nowMillis
	b.milli = uint32(min(uint64(b.milli)+passed*uint64(r.perSec), uint64(r.burst)*1000))
}

// allow says whether addr has a token left; spend takes it.
func (r *rateTable) allow(addr [2]uint64, nowMillis uint32) bool {
	b := r.bucket(addr)
	r.refill(b, nowMillis)
	return b.milli >= 1000
}

func (r *rateTable) spend(addr [2]uint64) {
	if b := r.bucket(addr); b.milli >= 1000 {
		b.milli -= 1000
	}
}

// meter is a tenant's own token bucket (calls or fuel per second). Fuel is
// known after the call only, so it may go below zero.
type meter struct {
	tokens int64
	stamp  int64 // mono ns
}

// ready refills m at perSec, up to one second's worth, and says whether
// anything is left. perSec 0: no limit.
func (m *meter) ready(perSec int64, nowNanos int64) bool {
	if perSec <= 0 {
		return true
	}
	passed := nowNanos - m.stamp
	if passed >= 1e9 || m.stamp == 0 {
		m.tokens = min(m.tokens+perSec*max(1, min(passed/1e9, 1000)), perSec)
		m.stamp = nowNanos
	} else if gain := int64(float64(perSec) * float64(passed) / 1e9); gain > 0 {
		m.tokens = min(m.tokens+gain, perSec)
		m.stamp = nowNanos
	}
	return m.tokens > 0
}
