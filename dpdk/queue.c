//go:build dpdk

#include "queue.h"

#include <stddef.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_net.h>
#include <rte_udp.h>

enum { CHECKSUM_UNKNOWN = 0, CHECKSUM_GOOD = 1, CHECKSUM_BAD = 2 }; // nic.Checksum

// add publishes a counter that other threads read.
static inline void add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void fill(struct shred_slot *s, struct rte_mbuf *m)
{
	s->mbuf = (uintptr_t)m;
	s->data = rte_pktmbuf_mtod(m, uint8_t *);
	s->room = m->buf_len - m->data_off;
	s->len = m->data_len;
}

// ether_type skips VLAN tags. It returns the type and where the network header
// begins, or 0 if the frame is too short.
static uint16_t ether_type(const uint8_t *data, uint32_t len, uint32_t *l2_len)
{
	uint32_t off = RTE_ETHER_HDR_LEN - 2;
	for (int tags = 0; tags <= 2 && off + 2 <= len; tags++) {
		uint16_t type = (uint16_t)data[off] << 8 | data[off + 1];
		if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ) {
			*l2_len = off + 2;
			return type;
		}
		off += 4;
	}
	return 0;
}

// ip_checksum judges the network header where the device looked at UDP only
// (virtio): IPv6 has no checksum, IPv4's is summed here.
static uint32_t ip_checksum(const struct shred_slot *s)
{
	uint32_t l2 = 0;
	uint16_t type = ether_type(s->data, s->len, &l2);
	if (type == RTE_ETHER_TYPE_IPV6)
		return CHECKSUM_GOOD;
	if (type != RTE_ETHER_TYPE_IPV4 || s->len < l2 + sizeof(struct rte_ipv4_hdr))
		return CHECKSUM_UNKNOWN;
	uint32_t hdr = (s->data[l2] & 0x0f) * 4u;
	if (hdr < sizeof(struct rte_ipv4_hdr) || s->len < l2 + hdr)
		return CHECKSUM_UNKNOWN;
	return rte_raw_cksum(s->data + l2, hdr) == 0xffff ? CHECKSUM_GOOD : CHECKSUM_BAD;
}

// checksum maps the receive flags. "NONE" means that the bytes are trusted
// although the field is not filled in (a frame that never left the machine).
static inline uint32_t checksum(const struct shred_slot *s, uint64_t flags)
{
	uint64_t ip = flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	uint64_t l4 = flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return CHECKSUM_BAD;
	if (l4 == RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
		return CHECKSUM_UNKNOWN;
	if (ip == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
		return ip_checksum(s);
	return CHECKSUM_GOOD;
}

// is_ours tells of a single segment that only we refer to by one look at both counts.
static inline bool is_ours(const struct rte_mbuf *m)
{
	uint32_t counts;
	_Static_assert(offsetof(struct rte_mbuf, nb_segs) == offsetof(struct rte_mbuf, refcnt) + 2, "two counts, one word");
	memcpy(&counts, (const char *)m + offsetof(struct rte_mbuf, refcnt), sizeof(counts));
	return counts == 0x00010001 && RTE_MBUF_DIRECT(m);
}

// one_segment makes m a single segment that only we refer to, so that a reply
// may be written into it. Where that is not possible m is freed and NULL returned.
static struct rte_mbuf *one_segment(struct shred_queue *q, struct rte_mbuf *m)
{
	bool ours = true;
	for (struct rte_mbuf *s = m; s != NULL; s = s->next)
		ours = ours && rte_mbuf_refcnt_read(s) == 1 && RTE_MBUF_DIRECT(s);
	if (ours && rte_pktmbuf_linearize(m) == 0)
		return m;
	struct rte_mbuf *copy = rte_pktmbuf_alloc(q->pool);
	if (copy != NULL) {
		char *to = rte_pktmbuf_append(copy, m->pkt_len <= UINT16_MAX ? m->pkt_len : UINT16_MAX);
		const void *from = to == NULL ? NULL : rte_pktmbuf_read(m, 0, m->pkt_len, to);
		if (from != NULL && from != to)
			memcpy(to, from, m->pkt_len);
		if (from == NULL) {
			rte_pktmbuf_free(copy);
			copy = NULL;
		} else {
			copy->ol_flags = m->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
		}
	}
	rte_pktmbuf_free(m);
	return copy;
}

static void receive(struct shred_queue *q)
{
	struct rte_mbuf *m[SHRED_BURST];
	uint32_t received = rte_eth_rx_burst(q->port, q->queue, m, SHRED_BURST);
	uint32_t n = 0;
	uint64_t bytes = 0;

	// The headers of a request are read and rewritten in its first two lines.
	for (uint32_t i = 0; i < received; i++) {
		char *data = rte_pktmbuf_mtod(m[i], char *);
		__builtin_prefetch(data, 1, 3);
		__builtin_prefetch(data + RTE_CACHE_LINE_SIZE, 1, 3);
	}
	for (uint32_t i = 0; i < received; i++) {
		struct rte_mbuf *one = m[i];
		if (unlikely(!is_ours(one))) {
			one = one_segment(q, one);
			if (one == NULL) {
				add(&q->rx_unfit, 1);
				continue;
			}
		}
		struct shred_slot *s = &q->rx[n++];
		fill(s, one);
		s->checksum = one->ol_flags == 0 ? CHECKSUM_UNKNOWN : checksum(s, one->ol_flags);
		bytes += s->len;
	}
	q->rx_n = n;
	if (n != 0) {
		add(&q->rx_frames, n);
		add(&q->rx_bytes, bytes);
	}
}

// offload asks the device for the checksums of m. A frame that is no IP, or not
// long enough to be, goes out as it is.
static void offload(struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t l2 = 0, l3 = 0;
	uint8_t protocol = 0;
	uint16_t type = ether_type(data, m->data_len, &l2);
	uint64_t flags = 0;

	if (type == RTE_ETHER_TYPE_IPV4 && m->data_len >= l2 + sizeof(struct rte_ipv4_hdr)) {
		l3 = (data[l2] & 0x0f) * 4u;
		protocol = data[l2 + 9];
		flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	} else if (type == RTE_ETHER_TYPE_IPV6 && m->data_len >= l2 + sizeof(struct rte_ipv6_hdr)) {
		l3 = sizeof(struct rte_ipv6_hdr);
		protocol = data[l2 + 6];
		flags = RTE_MBUF_F_TX_IPV6;
	}
	if (flags == 0 || m->data_len < l2 + l3)
		return;
	if (protocol == IPPROTO_UDP && m->data_len >= l2 + l3 + sizeof(struct rte_udp_hdr))
		flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	m->l2_len = l2;
	m->l3_len = l3;
	m->ol_flags |= flags;
}

// transmit hands staged[from:] to the device as far as it takes them and returns
// the first frame that it did not take. A frame whose offloads the device
// refuses is dropped; those behind it go out.
static uint32_t transmit(struct shred_queue *q, uint32_t from)
{
	struct rte_mbuf **staged = (struct rte_mbuf **)q->staged;
	uint32_t n = q->staged_n;
	if (q->tx_checksum) {
		n = from + rte_eth_tx_prepare(q->port, q->queue, staged + from, n - from);
		if (n == from) {
			rte_pktmbuf_free(staged[from]);
			add(&q->tx_dropped, 1);
			return from + 1;
		}
	}
	uint32_t sent = rte_eth_tx_burst(q->port, q->queue, staged + from, n - from);
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < sent; i++)
		bytes += q->staged_len[from + i];
	add(&q->tx_frames, sent);
	add(&q->tx_bytes, bytes);
	return from + sent;
}

static void send_staged(struct shred_queue *q)
{
	struct rte_mbuf **staged = (struct rte_mbuf **)q->staged;
	for (uint32_t i = 0; i < q->staged_n; i++) {
		struct rte_mbuf *m = staged[i];
		m->data_len = q->staged_len[i];
		m->pkt_len = q->staged_len[i];
		m->ol_flags = 0; // what the receive side noted means nothing on the way out
		if (q->tx_checksum)
			offload(m);
	}
	uint32_t done = 0;
	for (uint32_t before = UINT32_MAX; done < q->staged_n && done != before;) {
		before = done;
		done = transmit(q, done);
	}
	if (done < q->staged_n) {
		rte_pktmbuf_free_bulk(staged + done, q->staged_n - done);
		add(&q->tx_dropped, q->staged_n - done);
	}
	q->staged_n = 0;
}

static void restock(struct shred_queue *q)
{
	struct rte_mbuf *m[SHRED_SPARE];
	uint32_t want = SHRED_SPARE - q->spare_n;
	if (rte_pktmbuf_alloc_bulk(q->pool, m, want) != 0)
		return; // the pool is low: Alloc says so when the stock is gone
	for (uint32_t i = 0; i < want; i++)
		fill(&q->spare[q->spare_n++], m[i]);
}

static void free_dropped(struct shred_queue *q)
{
	rte_pktmbuf_free_bulk((struct rte_mbuf **)q->dropped, q->dropped_n);
	q->dropped_n = 0;
}

void shred_flush(uintptr_t handle)
{
	struct shred_queue *q = (struct shred_queue *)handle;
	if (q->staged_n != 0)
		send_staged(q);
	if (q->dropped_n != 0)
		free_dropped(q);
	if (q->spare_n < SHRED_SPARE / 2)
		restock(q);
}

void shred_turn(uintptr_t handle)
{
	shred_flush(handle);
	receive((struct shred_queue *)handle);
}

struct shred_queue *shred_queue_new(uint16_t port, uint16_t queue, struct rte_mempool *pool,
	int tx_checksum, int socket)
{
	struct shred_queue *q = rte_zmalloc_socket("shred_queue", sizeof(*q), RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL)
		return NULL;
	q->port = port;
	q->queue = queue;
	q->pool = pool;
	q->tx_checksum = tx_checksum;
	restock(q);
	return q;
}

void shred_queue_free(struct shred_queue *q)
{
	if (q->staged_n != 0)
		rte_pktmbuf_free_bulk((struct rte_mbuf **)q->staged, q->staged_n);
	if (q->dropped_n != 0)
		rte_pktmbuf_free_bulk((struct rte_mbuf **)q->dropped, q->dropped_n);
	for (uint32_t i = 0; i < q->spare_n; i++)
		rte_pktmbuf_free((struct rte_mbuf *)q->spare[i].mbuf);
	rte_free(q);
}
