package load

import (
	"fmt"
	"time"

	"shredder/dataplane/nic"
)

// lossNanos is how long a reply may take; after that its request is lost.
const lossNanos = int64(250 * time.Millisecond)

// drainNanos is how long a run listens on after its last request.
const drainNanos = int64(5 * time.Millisecond)

// sweepTurns is how often (in turns of the loop) lost requests are looked for.
const sweepTurns = 1024

// Closed keeps depth datagrams in flight for the given time: each reply, or
// loss, makes room for the next. With sessions, depth is spread over them and
// bounded by their windows.
func (g *Generator) Closed(depth int, length time.Duration) (Result, error) {
	return g.closed(depth, length, 1<<62)
}

// ClosedCount is Closed for a number of datagrams (a few more may leave at the
// end), each given up after lossNanos.
func (g *Generator) ClosedCount(depth, count int) (Result, error) {
	return g.closed(depth, 1<<62, uint64(count))
}

func (g *Generator) closed(depth int, length time.Duration, count uint64) (Result, error) {
	if most := len(g.flows) * len(g.flows[0].slots); depth < 1 || depth > most {
		return Result{}, fmt.Errorf("load: depth %d, want 1 to %d", depth, most)
	}
	g.begin("closed", true)
	g.run.result.Depth = depth
	start := g.nanos()
	stop := start + int64(length)
	now := start
	for at := 0; now < stop && g.run.result.Sent < count; now = g.nanos() {
		at = g.fill(depth, at, now)
		g.poll()
	}
	end := now
	g.drain()
	g.run.result.Offered = g.run.result.Sent
	return g.end(start, end), nil
}

// fill sends until depth requests are in flight or the device is full, from the
// flows in turn beginning at the at-th. It returns where to go on.
func (g *Generator) fill(depth, at int, now int64) int {
	blocked := 0
	for sent := 0; g.run.inFlight < depth && sent < nic.BurstSize && blocked < len(g.flows); {
		fl := &g.flows[at]
		if at++; at == len(g.flows) {
			at = 0
		}
		if !fl.window() {
			g.lose(fl.advance(now - lossNanos))
		}
		if !fl.window() {
			blocked++
			continue
		}
		if !g.send(fl, now) {
			break
		}
		sent++
		blocked = 0
	}
	if g.run.inFlight >= depth {
		if g.run.skipped++; g.run.skipped >= sweepTurns {
			g.run.skipped = 0
			g.sweep(now - lossNanos)
		}
	}
	return at
}

// sweep gives up what was sent before deadline.
func (g *Generator) sweep(deadline int64) {
	for i := range g.flows {
		g.lose(g.flows[i].advance(deadline))
	}
}

func (g *Generator) lose(n int) {
	g.run.result.Lost += uint64(n)
	g.run.inFlight -= n
}

// drain listens until everything in flight is answered or lost.
func (g *Generator) drain() {
	for until := g.nanos() + lossNanos; g.run.inFlight > 0 && g.nanos() < until; {
		g.poll()
	}
	g.sweep(g.nanos())
}

// Open sends rate datagrams a second, evenly, whatever becomes of them. Latency
// counts from when a request ought to have left, so a stall of the server or of
// the generator shows in all requests that were due meanwhile (no coordinated
// omission).
func (g *Generator) Open(rate float64, length time.Duration) (Result, error) {
	if rate <= 0 {
		return Result{}, fmt.Errorf("load: rate %v, want more than 0", rate)
	}
	g.begin("open", true)
	g.run.result.Rate = rate
	start := g.nanos()
	due := pace{start: start, interval: float64(time.Second) / rate, total: uint64(rate * length.Seconds())}
	now := start
	for at, turns := 0, 0; due.done < due.total; now = g.nanos() {
		for range min(due.due(now), nic.BurstSize) {
			fl := &g.flows[at]
			if !fl.window() {
				g.lose(fl.advance(now - lossNanos))
			}
			if !fl.window() || !g.send(fl, due.intended()) {
				break // it stays due, and its latency grows
			}
			due.done++
			if at++; at == len(g.flows) {
				at = 0
			}
		}
		g.poll()
		if turns++; turns%sweepTurns == 0 {
			g.sweep(now - lossNanos)
		}
	}
	end := max(now, start+int64(length))
	g.drain()
	g.run.result.Offered = due.total
	return g.end(start, end), nil
}

// pace is an even schedule.
type pace struct {
	start    int64
	interval float64
	total    uint64 // requests in all
	done     uint64 // requests sent
}

// due returns how many requests are due at now.
func (p *pace) due(now int64) int {
	by := min(uint64(float64(now-p.start)/p.interval)+1, p.total)
	return int(by - min(p.done, by))
}

// intended is when the next request ought to leave.
func (p *pace) intended() int64 { return p.start + int64(float64(p.done)*p.interval) }

// Flood offers rate datagrams a second, or with rate 0 as many as it can make,
// and only counts what comes back. What finds the device full is dropped. A
// turn of the loop makes one burst at most, so a generator that is too slow for
// rate shows in Offered.
func (g *Generator) Flood(rate float64, length time.Duration) (Result, error) {
	if rate < 0 {
		return Result{}, fmt.Errorf("load: rate %v, want 0 or more", rate)
	}
	g.begin("flood", false)
	g.run.result.Rate = rate
	start := g.nanos()
	stop := start + int64(length)
	due := pace{start: start, interval: 1, total: 1 << 62}
	if rate > 0 {
		due.interval = float64(time.Second) / rate
	}
	now := start
	for at := 0; now < stop; now = g.nanos() {
		batch := nic.BurstSize
		if rate > 0 {
			batch = min(due.due(now), nic.BurstSize)
		}
		due.done += uint64(batch)
		for range batch {
			if !g.send(&g.flows[at], now) {
				break // dropped, with the rest of the batch
			}
			if at++; at == len(g.flows) {
				at = 0
			}
		}
		g.poll()
	}
	end := now
	for until := g.nanos() + drainNanos; g.nanos() < until; {
		g.poll()
	}
	g.run.result.Offered = due.done
	if rate == 0 {
		g.run.result.Offered = g.run.result.Sent
	}
	return g.end(start, end), nil
}
