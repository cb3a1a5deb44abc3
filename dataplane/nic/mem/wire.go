// Package mem is a nic driver in memory: a point-to-point wire between a server
// with several queues and hosts that a test plays. It loses, doubles, reorders,
// truncates and corrupts frames and finds rings full, all from one seed, so
// that a run can be repeated exactly.
//
// A Wire's own methods (Inject, Collect, …) may be called from any goroutine. A
// Queue belongs to one lcore, as nic says. Runs are repeatable when one
// goroutine steps everything.
package mem

import (
	"math/rand/v2"
	"sync"

	"shredder/dataplane/nic"
)

// Faults are probabilities, 0 to 1, that something happens to a frame on its
// way. The zero value is a perfect wire.
type Faults struct {
	Loss      float64 // it disappears
	Duplicate float64 // it arrives twice
	Reorder   float64 // it falls behind up to eight frames that were sent after it
	Truncate  float64 // it loses its end, down to one byte
	Corrupt   float64 // one bit of it is flipped
	Full      float64 // it finds the receiving ring full
}

// Config describes a wire. Zero values mean the defaults named.
type Config struct {
	// Queues is the number of the server's queue pairs (1).
	Queues int
	// Seed decides all faults.
	Seed uint64
	// ToServer and ToHost are the faults of each direction.
	ToServer, ToHost Faults
	// RxRing is how many frames wait for each queue (1024); TxRing how many wait
	// to be collected in all (4096).
	RxRing, TxRing int
	// Buffers is the number of frames each queue has to lend (512).
	Buffers int
	// MTU in bytes (1500); a frame's room is rounded up from it to a KiB.
	MTU int
	// Steer chooses the queue of a frame to the server. The default takes the UDP
	// destination port minus BasePort where that is a queue, else queue 0.
	Steer    func(frame []byte) int
	BasePort uint16
	// Capabilities of the queues; MTU is filled in.
	Capabilities nic.Capabilities
}

// Counts is what happened on one direction of the wire.
type Counts struct {
	Sent, Delivered                                   uint64 // put on the wire; put into a ring
	Lost, Duplicated, Reordered, Truncated, Corrupted uint64
	Full                                              uint64 // found the ring full, by fault or in fact
	TooLong                                           uint64 // delivered, but longer than a buffer
}

const reorderDepth = 8

// Wire connects the server's queues with the test.
type Wire struct {
	mu       sync.Mutex
	config   Config
	random   *rand.Rand
	queues   []*Queue
	toServer []ring // one a queue
	toHost   ring
	counts   [2]Counts
}

const (
	toServer = iota
	toHost
)

// NewWire makes a wire and its queues.
func NewWire(c Config) *Wire {
	c.Queues = orDefault(c.Queues, 1)
	c.RxRing = orDefault(c.RxRing, 1024)
	c.TxRing = orDefault(c.TxRing, 4096)
	c.Buffers = orDefault(c.Buffers, 512)
	c.MTU = orDefault(c.MTU, 1500)
	c.Capabilities.MTU = c.MTU
	w := &Wire{config: c, random: rand.New(rand.NewPCG(c.Seed, 0x5eed)), toHost: newRing(c.TxRing)}
	if w.config.Steer == nil {
		w.config.Steer = w.steerByPort
	}
	for range c.Queues {
		w.toServer = append(w.toServer, newRing(c.RxRing))
	}
	for i := range c.Queues {
		w.queues = append(w.queues, newQueue(w, i))
	}
	return w
}

// Queue returns queue pair i, the same at every call.
func (w *Wire) Queue(i int) *Queue { return w.queues[i] }

// Queues is the number of queue pairs.
func (w *Wire) Queues() int { return len(w.queues) }

// Inject sends a copy of frame to the server, through the faults of that direction.
func (w *Wire) Inject(frame []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.config.Steer(frame)
	if i < 0 || i >= len(w.toServer) {
		i = 0
	}
	w.send(toServer, &w.toServer[i], frame)
}

// Collect returns the next frame that the server sent, or false if there is
// none. The bytes are the caller's.
func (w *Wire) Collect() ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.toHost.take()
	if b == nil {
		w.toHost.settle()
		return nil, false
	}
	return append([]byte{}, b...), true
}

// CollectAll returns everything that the server has sent and nobody collected.
func (w *Wire) CollectAll() [][]byte {
	var all [][]byte
	for {
		frame, ok := w.Collect()
		if !ok && w.Pending() == 0 {
			return all
		}
		if ok {
			all = append(all, frame)
		}
	}
}

// Pending is the number of frames on their way to the host.
func (w *Wire) Pending() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.toHost.n + len(w.toHost.held)
}

// Quiet tells whether no frame is on its way in either direction.
func (w *Wire) Quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.toHost.n + len(w.toHost.held)
	for i := range w.toServer {
		n += w.toServer[i].n + len(w.toServer[i].held)
	}
	return n == 0
}

// SetFaults changes the faults from now on.
func (w *Wire) SetFaults(server, host Faults) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.config.ToServer, w.config.ToHost = server, host
}

// Counts returns what happened to frames to the server and to the host.
func (w *Wire) Counts() (server, host Counts) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[toServer], w.counts[toHost]
}

// send puts a frame on the wire and reports whether the ring took it: a frame
// lost on the way was sent, one that found the ring full was not.
func (w *Wire) send(direction int, r *ring, frame []byte) bool {
	faults, count := &w.config.ToServer, &w.counts[direction]
	if direction == toHost {
		faults = &w.config.ToHost
	}
	count.Sent++
	if w.happens(faults.Full) || r.full() {
		count.Full++
		return false
	}
	if w.happens(faults.Loss) {
		count.Lost++
		return true
	}
	w.deliver(faults, count, r, frame)
	if w.happens(faults.Duplicate) && !r.full() {
		count.Duplicated++
		w.deliver(faults, count, r, frame)
	}
	return true
}

func (w *Wire) deliver(faults *Faults, count *Counts, r *ring, frame []byte) {
	if w.happens(faults.Truncate) && len(frame) > 1 {
		frame = frame[:1+w.random.IntN(len(frame)-1)]
		count.Truncated++
	}
	cell := r.cell(frame)
	if w.happens(faults.Corrupt) && len(cell) > 0 {
		cell[w.random.IntN(len(cell))] ^= 1 << w.random.IntN(8)
		count.Corrupted++
	}
	behind := 0
	if w.happens(faults.Reorder) {
		behind = 1 + w.random.IntN(reorderDepth)
		count.Reordered++
	}
	r.put(cell, behind)
	count.Delivered++
}

// happens draws from the seed only where the fault is possible, so that turning
// one fault on leaves the pattern of a wire without it.
func (w *Wire) happens(p float64) bool { return p > 0 && w.random.Float64() < p }

func (w *Wire) steerByPort(frame []byte) int {
	port, ok := udpDestination(frame)
	if !ok {
		return 0
	}
	return int(port) - int(w.config.BasePort)
}

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}
