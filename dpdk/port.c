//go:build dpdk

#include "port.h"

#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_string_fns.h>

int shred_errno(void)
{
	return rte_errno; // a macro over thread-local storage
}

static struct shred_limits limits(const struct rte_eth_desc_lim *d)
{
	return (struct shred_limits){.min = d->nb_min, .max = d->nb_max, .align = d->nb_align};
}

int shred_port_info(uint16_t port, struct shred_info *out)
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int ret = rte_eth_dev_info_get(port, &info);
	if (ret != 0)
		return ret;
	memset(out, 0, sizeof(*out));
	rte_eth_dev_get_name_by_port(port, out->device);
	rte_strscpy(out->driver, info.driver_name == NULL ? "" : info.driver_name, sizeof(out->driver));
	out->socket = rte_eth_dev_socket_id(port);
	out->max_rx_queues = info.max_rx_queues;
	out->max_tx_queues = info.max_tx_queues;
	out->min_mtu = info.min_mtu;
	out->max_mtu = info.max_mtu;
	out->rx_desc = limits(&info.rx_desc_lim);
	out->tx_desc = limits(&info.tx_desc_lim);
	out->default_rx_desc = info.default_rxportconf.ring_size;
	out->default_tx_desc = info.default_txportconf.ring_size;
	out->rx_offloads = info.rx_offload_capa;
	out->tx_offloads = info.tx_offload_capa;
	out->rss_types = info.flow_type_rss_offloads;
	ret = rte_eth_macaddr_get(port, &mac);
	if (ret == 0)
		memcpy(out->mac, mac.addr_bytes, sizeof(out->mac));
	return ret;
}

int shred_port_configure(uint16_t port, const struct shred_port_conf *conf)
{
	struct rte_eth_conf eth;
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(port, &info);
	if (ret != 0)
		return ret;

	memset(&eth, 0, sizeof(eth));
	eth.rxmode.mtu = conf->mtu;
	eth.rxmode.offloads = conf->rx_offloads;
	eth.txmode.offloads = conf->tx_offloads;
	if (conf->rss_types != 0) {
		eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		eth.rx_adv_conf.rss_conf.rss_hf = conf->rss_types;
	}
	ret = rte_eth_dev_configure(port, conf->queues, conf->queues, &eth);
	for (uint16_t i = 0; ret == 0 && i < conf->queues; i++) {
		struct rte_eth_txconf tx = info.default_txconf;
		struct rte_eth_rxconf rx = info.default_rxconf;
		tx.offloads = conf->tx_offloads;
		rx.offloads = conf->rx_offloads;
		ret = rte_eth_tx_queue_setup(port, i, conf->tx_desc, conf->socket, &tx);
		if (ret == 0)
			ret = rte_eth_rx_queue_setup(port, i, conf->rx_desc, conf->socket, &rx, conf->pool);
	}
	return ret;
}

int shred_port_link(uint16_t port, struct shred_link *out)
{
	struct rte_eth_link link;
	int ret = rte_eth_link_get_nowait(port, &link);
	if (ret == 0) {
		out->speed = link.link_speed;
		out->duplex = link.link_duplex;
		out->autoneg = link.link_autoneg;
		out->up = link.link_status;
	}
	return ret;
}

struct rte_flow *shred_flow_udp(uint16_t port, int ipv6, uint16_t udp_port, uint16_t queue,
	char *reason, unsigned reason_size)
{
	// The same fields in every rule: i40e has one input set a packet type.
	struct rte_flow_attr attr = {.ingress = 1};
	struct rte_flow_item_udp spec = {.hdr.dst_port = rte_cpu_to_be_16(udp_port)};
	struct rte_flow_item_udp mask = {.hdr.dst_port = 0xffff};
	struct rte_flow_item pattern[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = ipv6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4},
		{.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &spec, .mask = &mask},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};
	struct rte_flow_action_queue to = {.index = queue};
	struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};
	struct rte_flow_error error = {0};
	struct rte_flow *flow = NULL;

	if (rte_flow_validate(port, &attr, pattern, actions, &error) == 0)
		flow = rte_flow_create(port, &attr, pattern, actions, &error);
	if (flow == NULL)
		snprintf(reason, reason_size, "%s",
			error.message != NULL ? error.message : rte_strerror(rte_errno));
	return flow;
}
