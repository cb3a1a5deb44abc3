package udp

// Share lets the queues of several lcores answer for one another: a frame whose
// source port is another queue's leaves through that one's socket, so that the
// peer is answered from the port that it wrote to, as a NAT or a connected
// socket on its side demands. Call it before the lcores run, and close the queues only
// when none of them does: a socket is then used from every lcore.
func Share(queues ...*Queue) {
	for _, q := range queues {
		for _, other := range queues {
			if other != q && other.local.Addr() == q.local.Addr() {
				q.shared = append(q.shared, other)
			}
		}
	}
}

// socketOf is the socket for frames from a port: the queue's own unless another's is bound there.
func (q *Queue) socketOf(port uint16) int {
	if port != q.local.Port() {
		for _, other := range q.shared {
			if other.local.Port() == port {
				return other.fd
			}
		}
	}
	return q.fd
}
