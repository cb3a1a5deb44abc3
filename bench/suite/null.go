package suite

import "shredder/bench/peer"

// null compares our server with itself, as if it were two: what differs from 1
// is the noise of the method. It has a process of its own for each side, so
// that placement in memory is part of the noise.
func (l *lab) null() error {
	tenants := []map[string]any{peer.Tenant("small", smallTenant, "64MiB")}
	var benches [2]*bench
	for i, name := range []string{"first", "second"} {
		b, err := l.ours(l.memifLink(name), tenants, nil)
		if err != nil {
			return err
		}
		benches[i] = b
	}
	for _, w := range kvWorkloads()[:2] {
		l.Log("%s", w.name)
		var sides [2]side
		for i, b := range benches {
			g, err := b.ourGenerator(w.cfg)
			if err != nil {
				return err
			}
			sides[i] = side{[]string{"shredder", "shredder again"}[i], b.ours.Process, flood(g, 1, shredderBusy(b.ours), false)}
		}
		c, err := l.compare(sides[0], sides[1], flooded)
		if err != nil {
			return err
		}
		l.add(c.row(w.name, "ops/s", benches[0].where, rate))
	}
	return nil
}
