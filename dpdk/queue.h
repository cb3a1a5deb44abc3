// The C half of a queue: a flat struct that Go reads and writes through slices,
// and one call a turn.
#ifndef SHREDDER_QUEUE_H
#define SHREDDER_QUEUE_H

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

enum {
	SHRED_BURST = 32,   // nic.BurstSize
	SHRED_STAGED = 256, // frames that may wait for the next turn
	SHRED_DROPPED = 256, // freed frames that may wait for the next turn
	SHRED_SPARE = 64,   // stock for Alloc; refilled below half
};

// shred_slot is one frame as Go sees it: 32 bytes, so two slots a cache line.
struct shred_slot {
	uintptr_t mbuf; // an address, that Go stores it without looking for its collector
	uint8_t *data;
	uint32_t room;
	uint32_t len;
	uint32_t checksum; // nic.Checksum
	uint32_t pad;
};

struct shred_queue {
	uint16_t port;
	uint16_t queue;
	uint32_t tx_checksum; // fill in checksums by the device
	uint32_t rx_n;
	uint32_t staged_n;
	uint32_t dropped_n;
	uint32_t spare_n;
	struct rte_mempool *pool;

	// Written by C, read by Go from any thread.
	uint64_t rx_frames, rx_bytes;
	uint64_t tx_frames, tx_bytes, tx_dropped;
	uint64_t rx_unfit; // received in a form that could not be made one writable segment

	struct shred_slot rx[SHRED_BURST];
	struct shred_slot spare[SHRED_SPARE];
	uintptr_t staged[SHRED_STAGED];
	uint32_t staged_len[SHRED_STAGED];
	uintptr_t dropped[SHRED_DROPPED];
};

struct shred_queue *shred_queue_new(uint16_t port, uint16_t queue, struct rte_mempool *pool,
	int tx_checksum, int socket);
void shred_queue_free(struct shred_queue *q);

// shred_turn sends what is staged, frees what is dropped, restocks the spares
// and receives the next burst into q->rx. The queue's address comes as an
// integer so that cgo does not inspect it.
void shred_turn(uintptr_t q);

// shred_flush is shred_turn without the receive.
void shred_flush(uintptr_t q);

#endif
