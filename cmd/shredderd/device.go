package main

import (
	"errors"
	"fmt"
	"net/netip"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/udp"
	"shredder/dpdk"
	"shredder/internal/config"
	"shredder/pktproc"
)

// device is what frames come from: one queue for each lcore.
type device struct {
	queues         []nic.Queue
	addresses      pktproc.Addresses
	registerThread func() (func(), error)
	eal            *dpdk.EAL
	port           *dpdk.Port
}

func openDevice(c *config.Config) (device, error) {
	if c.Driver == "dpdk" {
		return openPort(c)
	}
	return openSockets(c)
}

// openSockets listens on every address, with a port for each lcore. Base port 0
// takes the port that the kernel chooses for the first address, if the others have it free.
func openSockets(c *config.Config) (d device, err error) {
	var all []*udp.Queue
	for lcore := range c.Lcores {
		var sockets []*udp.Queue
		for _, a := range c.Listen {
			port := c.BasePort
			if port != 0 {
				port += uint16(lcore)
			}
			q, err := udp.Open(udp.Config{Address: netip.AddrPortFrom(a, port)})
			if err != nil {
				for _, s := range sockets {
					s.Close()
				}
				return d, errors.Join(err, d.closeQueues())
			}
			if c.BasePort == 0 {
				c.BasePort = q.Address().Port()
			}
			sockets = append(sockets, q)
		}
		d.queues = append(d.queues, udp.Join(sockets...))
		all = append(all, sockets...)
	}
	udp.Share(all...)
	return d, nil
}

// openPort starts the EAL and one of its ports.
func openPort(c *config.Config) (d device, err error) {
	if err := dpdk.Available(); err != nil {
		return d, fmt.Errorf("driver dpdk: %w", err)
	}
	if d.eal, err = dpdk.Init(c.EAL); err != nil {
		return d, err
	}
	pc := dpdk.PortConfig{
		Name: c.Port.Name, Queues: len(c.Lcores), RxRing: c.Port.RxRing, TxRing: c.Port.TxRing, MempoolSize: c.Port.Mempool,
		MTU: c.Port.MTU, Promiscuous: c.Port.Promiscuous, ChecksumOffload: c.Port.ChecksumOffload,
	}
	if c.Port.FlowRules && len(c.Lcores) > 1 {
		pc.FlowBasePort = c.BasePort
	}
	if d.port, err = dpdk.OpenPort(pc); err != nil {
		return d, err
	}
	if err := d.port.Start(); err != nil {
		return d, err
	}
	for i := range c.Lcores {
		d.queues = append(d.queues, d.port.Queue(i))
	}
	d.registerThread = dpdk.RegisterThread
	d.addresses.MAC = d.port.MAC()
	if c.Port.MAC != (config.MAC{}) {
		d.addresses.MAC = c.Port.MAC
	}
	for _, p := range c.Addresses {
		if p.Addr().Is4() {
			d.addresses.IPv4 = append(d.addresses.IPv4, p)
		} else {
			d.addresses.IPv6 = append(d.addresses.IPv6, p)
		}
	}
	return d, nil
}

// closeQueues is for a device whose queues no Plane has taken.
func (d *device) closeQueues() error {
	var errs []error
	for _, q := range d.queues {
		errs = append(errs, q.Close())
	}
	return errors.Join(errs...)
}

// close ends the port and the EAL.
func (d *device) close() error {
	var errs []error
	if d.port != nil {
		errs = append(errs, d.port.Close())
	}
	if d.eal != nil {
		errs = append(errs, d.eal.Close())
	}
	return errors.Join(errs...)
}
