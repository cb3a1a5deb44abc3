//go:build dpdk

package dpdk

// #include <rte_errno.h>
// #include <rte_mbuf.h>
// #include <rte_mempool.h>
// #include "port.h"
import "C"

import "fmt"

// Mempool is a port's pool of mbufs.
type Mempool struct {
	c    *C.struct_rte_mempool
	size int
}

// mempoolCache is the number of mbufs an lcore keeps for itself: several bursts,
// so that the shared ring is touched once in some turns.
const mempoolCache = 256

// newMempool makes a pool of n mbufs whose data room holds one frame of frameLen bytes.
func newMempool(name string, n, frameLen, socket int) (*Mempool, error) {
	room := C.RTE_PKTMBUF_HEADROOM + max(frameLen, C.RTE_MBUF_DEFAULT_DATAROOM)
	if room > 0xffff {
		return nil, fmt.Errorf("dpdk: a frame of %d bytes does not fit one mbuf (65535 bytes with headroom)", frameLen)
	}
	cache := min(mempoolCache, C.RTE_MEMPOOL_CACHE_MAX_SIZE, n*2/3)
	cname, release := cstring(name)
	defer release()
	c := C.rte_pktmbuf_pool_create(cname, C.uint(n), C.uint(cache), 0, C.uint16_t(room), C.int(socket))
	if c == nil {
		return nil, fmt.Errorf("dpdk: mempool of %d mbufs of %d bytes: %s (give the EAL more memory with -m, or take fewer mbufs)",
			n, room, errnoText(int(C.shred_errno())))
	}
	return &Mempool{c: c, size: n}, nil
}

// Size is the number of mbufs the pool was made with.
func (m *Mempool) Size() int { return m.size }

// InUse is the number of mbufs that are not in the pool: held by device rings,
// queues and frames. It is exact when no thread is using the pool.
func (m *Mempool) InUse() int { return int(C.rte_mempool_in_use_count(m.c)) }

func (m *Mempool) free() { C.rte_mempool_free(m.c) }
