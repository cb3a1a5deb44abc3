package udp

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// bell ends a Wait from another thread: an eventfd that is polled beside the
// sockets. The mutex keeps a late ring from a descriptor that Close gave back;
// the queue's own lcore takes it in Close only.
type bell struct {
	mu sync.Mutex
	fd int
}

func (b *bell) open() (err error) {
	if b.fd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	return nil
}

// ring may be called from any thread.
func (b *bell) ring() {
	one := [8]byte{1}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fd >= 0 {
		unix.Write(b.fd, one[:]) // full: it has rung often enough
	}
}

// wait blocks until a descriptor of fds is readable, the bell rings or the time
// has passed. The last of fds is the bell's.
func (b *bell) wait(fds []unix.PollFd, nanos int64) {
	limit := unix.NsecToTimespec(nanos)
	unix.Ppoll(fds, &limit, nil) // woken early is as good
	if last := &fds[len(fds)-1]; last.Revents != 0 {
		var count [8]byte
		unix.Read(b.fd, count[:])
	}
}

func (b *bell) poll() unix.PollFd { return unix.PollFd{Fd: int32(b.fd), Events: unix.POLLIN} }

func (b *bell) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	unix.Close(b.fd)
	b.fd = -1
}

// Wake ends the Wait under way, or the next one. Any thread may call it.
func (q *Queue) Wake() { q.bell.ring() }

// Wake ends the Wait under way, or the next one. Any thread may call it.
func (j *joined) Wake() { j.queues[0].Wake() }
