package load

import (
	"encoding/binary"

	"shredder/dataplane/nic"
)

// beside sends one call now and then, from the port behind the generator's own.
type beside struct {
	template  template
	every     int64
	lastNanos int64
	seq       uint32
}

func newBeside(c *Config) (*beside, error) {
	cfg := *c
	cfg.Sessions = nil
	cfg.Tenant, cfg.Function, cfg.Args = c.Beside.Tenant, c.Beside.Function, nil
	cfg.Local.Port += uint16(max(len(c.Sessions), 1))
	t, err := newTemplate(&cfg, Call, 1)
	return &beside{template: t, every: c.Beside.EveryNanos}, err
}

// send sends the call if it is time and the device has room.
func (b *beside) send(queue nic.Queue, now int64) {
	if now-b.lastNanos < b.every {
		return
	}
	f, ok := queue.Alloc()
	if !ok {
		return
	}
	b.lastNanos = now
	b.seq++
	f.Len = copy(f.Data, b.template.frame)
	binary.LittleEndian.PutUint32(f.Data[b.template.datagram+seqOff:], b.seq)
	if b.template.sum {
		b.template.putChecksum(f.Data)
	}
	queue.Send(f)
}
