package udp

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// joined serves several sockets as one queue, so that one lcore can listen on
// several addresses. Each turn receives from one of them, in turn, so a burst's
// frames are all of one socket.
type joined struct {
	queues []*Queue
	at     int // whose frames the last burst holds
	fds    []unix.PollFd
}

// Join makes one queue of several, which it then owns. A frame of its own (Alloc) leaves
// through the socket that is bound to its source address, so that the peer
// recognises who answers.
func Join(queues ...*Queue) nic.Queue {
	if len(queues) == 1 {
		return queues[0]
	}
	j := &joined{queues: queues}
	for _, q := range queues {
		j.fds = append(j.fds, unix.PollFd{Fd: int32(q.fd), Events: unix.POLLIN})
	}
	j.fds = append(j.fds, queues[0].bell.poll())
	return j
}

// RxBurst asks the next socket; if there is nothing it asks the others too.
func (j *joined) RxBurst(b *nic.Burst) int {
	if b.N != 0 {
		j.TxBurst(b)
	}
	j.Flush()
	for range j.queues {
		j.at = (j.at + 1) % len(j.queues)
		if n := j.queues[j.at].RxBurst(b); n > 0 {
			return n
		}
	}
	return 0
}

func (j *joined) TxBurst(b *nic.Burst) { j.queues[j.at].TxBurst(b) }

// Alloc lends frames of the first queue only; Send moves those that are another's.
func (j *joined) Alloc() (nic.Frame, bool) { return j.queues[0].Alloc() }

func (j *joined) Send(f nic.Frame) {
	owner := j.owner(&f)
	if owner == j.queues[0] {
		owner.Send(f)
		return
	}
	if moved, ok := owner.Alloc(); ok {
		moved.Len = copy(moved.Data, f.Data[:f.Len])
		owner.Send(moved)
	}
	j.queues[0].Free(f)
}

// owner returns the queue whose socket is bound to the frame's source, the
// first if there is none.
func (j *joined) owner(f *nic.Frame) *Queue {
	var src, dst endpoint
	if f.Len <= 0 || f.Len > len(f.Data) {
		return j.queues[0]
	}
	if _, ok := parseHeaders(f.Data[:f.Len], &src, &dst); ok {
		for _, q := range j.queues {
			if q.local.Addr().As16() == src.addr {
				return q
			}
		}
		for _, q := range j.queues {
			if q.any && (q.ipv6 || src.is4()) {
				return q
			}
		}
	}
	return j.queues[0]
}

func (j *joined) Free(f nic.Frame) { j.queues[0].Free(f) }

func (j *joined) Flush() {
	for _, q := range j.queues {
		q.Flush()
	}
}

func (j *joined) Wait(nanos int64) {
	j.Flush()
	if nanos <= 0 || j.queues[0].closed {
		return
	}
	j.queues[0].bell.wait(j.fds, nanos)
}

func (j *joined) Capabilities() nic.Capabilities {
	c := j.queues[0].Capabilities()
	for _, q := range j.queues[1:] {
		c.MTU = min(c.MTU, q.caps.MTU)
	}
	return c
}

func (j *joined) Stats() (sum nic.Stats) {
	for _, q := range j.queues {
		s := q.Stats()
		sum.RxFrames += s.RxFrames
		sum.RxBytes += s.RxBytes
		sum.TxFrames += s.TxFrames
		sum.TxBytes += s.TxBytes
		sum.TxDropped += s.TxDropped
		sum.NoBuffer += s.NoBuffer
	}
	return sum
}

func (j *joined) Close() error {
	var errs []error
	for _, q := range slices.Backward(j.queues) {
		errs = append(errs, q.Close())
	}
	return errors.Join(errs...)
}
