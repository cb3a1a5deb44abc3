package pktproc

import (
	"encoding/binary"
	"net/netip"

	"shredder/store"
	"shredder/tenants"
)

const counterDenied = tenants.CounterDenied

// tenant is what an lcore keeps for each tenant that is at home here.
type tenant struct {
	// What every request reads stands in the first line.
	local *tenants.Local
	shard *store.Shard
	// current is the request that everything else of the tenant waits for: being
	// called, suspended, or about to be. head and tail are those that wait.
	current    *task
	head, tail *task
	// trusted is the last source that was found in the tenant's list; trusted4
	// the same if it was an IPv4 address, as memory has it, else 0.
	trusted4    uint32
	slot        uint32
	serial      uint32 // tells it from an earlier tenant of the slot
	quarantined bool
	isTrusted   bool
	inRing      bool
	trusted     [2]uint64

	sessions    int
	recordSize  int // bytes of recorded replies
	pushes      int
	results     *keptResult
	resultCount int
	resultSize  int // of their buffers
	waiting     int

	ringNext *tenant
	deficit  int64 // fuel, for round robin

	calls, fuel meter

	making    *tenants.Job // the JobRuntime that the control threads have, or nil
	compiling *tenants.Job // the JobCompile that they have
	fnJobs    int          // JobFns that they have
	fns       *task        // FNs beside the line

	_ [tenantPad]byte
}

// tenantPad makes a tenant 256 bytes, which the allocator aligns to a cache line.
const tenantPad = 48

// busy says whether writes and calls have to wait.
func (t *tenant) busy() bool { return t.current != nil }

// suspended says whether a call holds the overlay, so that nothing else in the
// arena may change.
func (t *tenant) suspended() bool {
	return t.current != nil && (t.current.state == taskSuspended || t.current.r.overlay) // an atomic datagram may wait for a runtime
}

// trusts says whether a frame's source may send requests without a session.
func (t *tenant) trusts(l *offsets, b []byte) bool {
	if !l.v6 && t.trusted4 == binary.LittleEndian.Uint32(b[l.l3+12:]) {
		return true // 0 is no source: check4
	}
	addr := sourceAddr(l, b)
	if t.isTrusted && t.trusted == addr {
		return true
	}
	return t.trustsNew(addr)
}

func (t *tenant) trustsNew(addr [2]uint64) bool {
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:], addr[0])
	binary.LittleEndian.PutUint64(raw[8:], addr[1])
	if len(t.local.DataToken) != 0 || !t.local.TrustsSource(netip.AddrFrom16(raw).Unmap()) {
		return false
	}
	t.trusted, t.isTrusted, t.trusted4 = addr, true, 0
	if addr[0] == 0 {
		t.trusted4 = uint32(addr[1] >> 32)
	}
	return true
}

// maxSmallID is the highest tenant id that is looked up by index.
const maxSmallID = 1 << 20

// tenantByID returns the tenant if it is at home here.
func (p *Processor) tenantByID(id uint32) *tenant {
	if uint(id) < uint(len(p.byID)) {
		return p.byID[id]
	}
	if id < maxSmallID {
		return nil
	}
	return p.byBigID[id]
}

func (p *Processor) tenantAt(slot uint32) *tenant {
	if uint(slot) < uint(len(p.tenants)) {
		return p.tenants[slot]
	}
	return nil
}

// install takes a tenant over from the control threads.
func (p *Processor) install(local *tenants.Local) {
	if p.tenantByID(local.ID) != nil {
		return
	}
	p.serial++
	t := &tenant{local: local, shard: local.Shard, serial: p.serial}
	if n := len(p.freeSlots); n > 0 {
		t.slot = p.freeSlots[n-1]
		p.freeSlots = p.freeSlots[:n-1]
		p.tenants[t.slot] = t
	} else {
		t.slot = uint32(len(p.tenants))
		p.tenants = append(p.tenants, t)
	}
	local.Data = t
	if local.ID >= maxSmallID {
		p.byBigID[local.ID] = t
		return
	}
	if int(local.ID) >= len(p.byID) {
		p.byID = append(p.byID, make([]*tenant, int(local.ID)+1-len(p.byID))...)
	}
	p.byID[local.ID] = t
}

// remove gives a tenant back: its calls are killed, its waiting requests
// answered, its sessions invalid from now on.
func (p *Processor) remove(local *tenants.Local) {
	t := p.tenantByID(local.ID)
	if t == nil || t.local != local {
		return
	}
	p.killTenant(t, statusRemoved)
	p.pushes.dropTenant(p, t)
	p.dropKept(t, func(*keptResult) bool { return true })
	p.publisher.Forget(local)
	if local.ID >= maxSmallID {
		delete(p.byBigID, local.ID)
	} else {
		p.byID[local.ID] = nil
	}
	p.tenants[t.slot] = nil
	p.freeSlots = append(p.freeSlots, t.slot)
	local.Data = nil
}
