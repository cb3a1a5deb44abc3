package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"shredder/bench/load"
	"shredder/bench/memif"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/udp"
	"shredder/dpdk"
)

// device is an open device and how it is closed.
type device struct {
	queue nic.Queue
	close func()
}

// open opens the device that was asked for and fills in what it says of the
// local endpoint. The caller's thread becomes the queue's.
func (o *options) open(cfg *load.Config) (device, error) {
	kind, path, _ := strings.Cut(o.device, ":")
	switch {
	case kind == "memif" && path != "":
		q, err := memif.Dial(path, memif.Config{})
		if err != nil {
			return device{}, err
		}
		return device{q, func() { _ = q.Close() }}, nil
	case o.device == "udp":
		return o.openUDP(cfg)
	case o.device == "eal":
		return o.openEAL(cfg)
	}
	return device{}, fmt.Errorf("device %q: want eal, memif:PATH or udp", o.device)
}

func (o *options) openUDP(cfg *load.Config) (device, error) {
	if o.tenantName != "" && o.sessions > 1 {
		return device{}, errors.New("device udp has one port, so one session")
	}
	q, err := udp.Open(udp.Config{Address: netip.AddrPortFrom(cfg.Local.IP, cfg.Local.Port)})
	if err != nil {
		return device{}, err
	}
	cfg.Local.Port = q.Address().Port()
	return device{q, func() { _ = q.Close() }}, nil
}

func (o *options) openEAL(cfg *load.Config) (device, error) {
	eal, err := dpdk.Init(o.eal)
	if err != nil {
		return device{}, err
	}
	port, err := dpdk.OpenPort(dpdk.PortConfig{Name: o.port, Promiscuous: o.localMAC != ""})
	if err != nil {
		return device{}, errors.Join(err, eal.Close())
	}
	if err := port.Start(); err != nil {
		return device{}, errors.Join(err, port.Close(), eal.Close())
	}
	unregister, err := dpdk.RegisterThread()
	if err != nil {
		return device{}, errors.Join(err, port.Close(), eal.Close())
	}
	if o.localMAC == "" {
		cfg.Local.MAC = port.MAC()
	}
	queue := port.Queue(0)
	return device{queue, func() {
		_ = queue.Close()
		unregister()
		_ = port.Close()
		_ = eal.Close()
	}}, nil
}
