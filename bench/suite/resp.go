package suite

import (
	"fmt"
	"net/netip"
	"time"

	"shredder/bench/engine"
	"shredder/bench/graph"
	"shredder/bench/peer"
	"shredder/bench/report"
)

// respConns is how many connections the front door serves in a closed loop.
const respConns = 32

// respLibrary is what redis.lua is in Redis' language.
const respLibrary = `#!js name=bench
export function countFriends(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}
`

// resp is the suite of the front door, next to redis-server: rates, and processor
// time per operation, idle polls excluded.
func (l *lab) resp() error {
	return l.parts([]part{{"kv", l.respCommands}, {"fcall", l.respFunctions}})
}

// frontDoor starts the daemon in development mode with its front door.
func (l *lab) frontDoor() (*peer.Shredder, *peer.Kernel, error) {
	port, err := peer.FreePort()
	if err != nil {
		return nil, nil, err
	}
	address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	s, err := peer.StartShredder(l.Shredderd, l.dir, l.ServerCPU, peer.Settings{
		"dev": true, "driver": "udp", "listen": []string{"127.0.0.1"}, "base-port": 0, "resp": address.String(),
	})
	if err != nil {
		return nil, nil, err
	}
	return s, &peer.Kernel{Process: s.Process, Address: address, Protocol: peer.RESP{}}, nil
}

// respCommands compares PING, GET and SET at several depths of pipelining.
func (l *lab) respCommands() error {
	s, ours, err := l.frontDoor()
	if err != nil {
		return err
	}
	l.later(func() { _ = s.Stop() })
	theirs, err := peer.StartRedis(l.ServerCPU)
	if err != nil {
		return err
	}
	l.later(func() { _ = theirs.Stop() })
	work := [2]func() (float64, error){
		func() (float64, error) { return s.WorkNanos(l.ServerCPU) },
		func() (float64, error) { n, err := theirs.CPUNanos(); return float64(n), err },
	}
	for _, command := range []struct {
		name     string
		protocol peer.Protocol
	}{{"ping", peer.RESPPing{}}, {"get", peer.RESP{}}, {"set", peer.RESPSet{Value: make([]byte, valueSize)}}} {
		for _, depth := range []int{1, 16, 64} {
			l.Log("%s, %d deep", command.name, depth)
			var sides [2]side
			for i, k := range []*peer.Kernel{ours, theirs} {
				with := *k
				with.Protocol = command.protocol
				if sides[i], err = l.respSide(&with, work[i], depth); err != nil {
					return err
				}
			}
			sides[0].name, sides[1].name = "shredder", "redis-server"
			sides[0].process = s.Process
			c, err := l.compare(sides[0], sides[1], closedLoop)
			if err != nil {
				return err
			}
			l.addResp(c, command.name, depth)
		}
	}
	return nil
}

// addResp adds a row of rates and one of processor time.
func (l *lab) addResp(c *comparison, name string, depth int) {
	r := c.row(name, "ops/s", "loopback TCP", rate)
	r.Depth = depth
	r.Note = fmt.Sprintf("%d connections; ours shares the client's CPU with the client", respConns)
	l.add(r)
	cpu := c.row(name+"-cpu-per-op", "ns", "loopback TCP", func(s sample) float64 { return s.busyNanos })
	cpu.Depth, cpu.Note = depth, "processor time by the scheduler, idle polls excluded; lower is better"
	l.add(cpu)
}

// respSide is a server in a closed loop of connections.
func (l *lab) respSide(k *peer.Kernel, work func() (float64, error), depth int) (side, error) {
	p, err := peer.Dial(k, respConns, depth, smallKeys, valueSize)
	if err != nil {
		return side{}, err
	}
	p.Patient = true
	l.later(func() { _ = p.Close() })
	s := side{run: func(_ float64, length time.Duration) (sample, error) {
		before, err := work()
		if err != nil {
			return sample{}, err
		}
		ops, took, err := p.Run(depth, length)
		if err != nil {
			return sample{}, err
		}
		after, err := work()
		if err != nil {
			return sample{}, err
		}
		return sample{rate: float64(ops) / took.Seconds(), busyNanos: (after - before) / float64(ops)}, nil
	}}
	if err := k.Process.Resume(); err != nil { // the comparison before has stopped it
		return side{}, err
	}
	return s, p.Preload()
}

// respFunctions compares countFriends as a function called by FCALL.
func (l *lab) respFunctions() error {
	g, err := graph.Find(l.Graph)
	if err != nil {
		return err
	}
	set := engine.Graph(g)
	redis, err := peer.StartFunctions(l.ServerCPU, set)
	if err != nil {
		return err
	}
	l.later(func() { _ = redis.Stop() })
	s, k, err := l.frontDoor()
	if err != nil {
		return err
	}
	ours, err := peer.LoadFunctions(k, respLibrary, set)
	if err != nil {
		return err
	}
	l.later(func() { _ = ours.Stop() })
	l.Log("countFriends(0, %d) by FCALL over the %s graph", graphDepth, g.Name)
	var a, b []float64
	for range l.pairs() {
		for _, m := range []struct {
			f  *peer.Functions
			to *[]float64
		}{{ours, &a}, {redis, &b}} {
			if m.f != ours {
				if err := s.Pause(); err != nil {
					return err
				}
			}
			nanos, answer, err := m.f.Run(l.length(), "countFriends", 0, graphDepth)
			if err != nil {
				return err
			}
			if answer != float64(g.Answers[graphDepth-1]) {
				return fmt.Errorf("countFriends(0, %d) is %v, want %d", graphDepth, answer, g.Answers[graphDepth-1])
			}
			*m.to = append(*m.to, nanos)
			if err := s.Resume(); err != nil {
				return err
			}
		}
	}
	mine, their := report.Median(a), report.Median(b)
	l.add(report.Row{Name: "fcall-countFriends-3", Unit: "ns", Value: mine, Peer: "redis-server", PeerValue: their, Ratio: report.Ratio(mine, their),
		Where: "loopback TCP", Depth: 1, Pairs: len(a), Note: fmt.Sprintf("a call with its round trip; %.1f times as fast", their/mine)})
	return nil
}
