//go:build dpdk

package dpdk

// #include <rte_ethdev.h>
// #include <rte_flow.h>
// #include "port.h"
import "C"

import "fmt"

// rssTypes is the part of what a device can hash that spreads UDP clients:
// addresses and ports, else addresses alone.
func rssTypes(offered C.uint64_t) C.uint64_t {
	if udp := offered & (C.RTE_ETH_RSS_NONFRAG_IPV4_UDP | C.RTE_ETH_RSS_NONFRAG_IPV6_UDP); udp != 0 {
		return udp
	}
	return offered & (C.RTE_ETH_RSS_IPV4 | C.RTE_ETH_RSS_IPV6)
}

// steer installs the flow rules, all or none, and notes which steering is active.
func (p *Port) steer() {
	p.reason = ""
	switch {
	case p.config.Queues == 1:
		p.steering = SteeringSingle
		return
	case p.applied.rss_types != 0:
		p.steering = SteeringRSS
	default:
		p.steering = SteeringDevice
	}
	if p.config.FlowBasePort == 0 {
		return
	}
	for i := range p.queues {
		for ipv6 := range 2 {
			if err := p.addFlow(ipv6, i); err != nil {
				p.reason = err.Error()
				p.flushFlows()
				return
			}
		}
	}
	p.steering = SteeringFlow
}

// addFlow brings UDP destination port FlowBasePort+i to queue i.
func (p *Port) addFlow(ipv6, i int) error {
	var reason [128]C.char
	udpPort := int(p.config.FlowBasePort) + i
	if C.shred_flow_udp(p.id, C.int(ipv6), C.uint16_t(udpPort), C.uint16_t(i), &reason[0], C.uint(len(reason))) == nil {
		return fmt.Errorf("rule ipv%d udp dst %d to queue %d: %s", 4+2*ipv6, udpPort, i, C.GoString(&reason[0]))
	}
	return nil
}

// flushFlows removes all rules; a device without rte_flow has none.
func (p *Port) flushFlows() {
	if p.config.FlowBasePort != 0 && p.config.Queues > 1 {
		var ignored C.struct_rte_flow_error
		C.rte_flow_flush(p.id, &ignored)
	}
}
