// Flat forms of ethdev's structs, whose unions and bit fields cgo cannot spell.
#ifndef SHREDDER_PORT_H
#define SHREDDER_PORT_H

#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mempool.h>

struct shred_limits {
	uint16_t min, max, align;
};

struct shred_info {
	char device[RTE_ETH_NAME_MAX_LEN];
	char driver[64];
	int socket;
	uint16_t max_rx_queues, max_tx_queues;
	uint16_t min_mtu, max_mtu;
	struct shred_limits rx_desc, tx_desc;
	uint16_t default_rx_desc, default_tx_desc;
	uint64_t rx_offloads, tx_offloads, rss_types;
	uint8_t mac[6];
};

struct shred_port_conf {
	uint16_t queues, rx_desc, tx_desc;
	uint32_t mtu;
	uint64_t rx_offloads, tx_offloads, rss_types;
	struct rte_mempool *pool;
	int socket;
};

struct shred_link {
	uint32_t speed; // Mbit/s
	int duplex, autoneg, up;
};

// All return 0 or a negative errno.
int shred_port_info(uint16_t port, struct shred_info *out);
int shred_port_configure(uint16_t port, const struct shred_port_conf *conf);
int shred_port_link(uint16_t port, struct shred_link *out);

// shred_flow_udp steers UDP datagrams for a destination port to a queue. On
// failure it returns NULL, sets rte_errno and fills reason.
struct rte_flow *shred_flow_udp(uint16_t port, int ipv6, uint16_t udp_port, uint16_t queue,
	char *reason, unsigned reason_size);

int shred_errno(void);

#endif
