// Package dpdk is a thin binding to libdpdk (22.11 or newer): the environment
// (EAL), Ethernet ports with their mempools, and queues that implement
// nic.Queue. It owns all C memory of the project; C never holds Go memory, and
// a frame is a byte slice over mbuf memory.
//
// It is built with the tag dpdk (`go build -tags dpdk`, with libdpdk-dev and
// pkg-config installed). Without the tag the same names exist and return an
// error that says so: Available tells which of the two this is.
//
// The order of use:
//
//	eal, err := dpdk.Init([]string{"--in-memory", "--vdev=net_memif0,role=server"})
//	port, err := dpdk.OpenPort(dpdk.PortConfig{Name: "net_memif0", Queues: 2})
//	err = port.Start()
//	// on each lcore's goroutine, after runtime.LockOSThread:
//	unregister, err := dpdk.RegisterThread()
//	queue := port.Queue(0) // a nic.Queue
//	… queue.RxBurst(&burst); queue.TxBurst(&burst) …
//	err = queue.Close(); unregister()
//	// then, back on the control thread:
//	err = port.Close(); err = eal.Close()
//
// Init, OpenPort and the methods of EAL and Port are for control threads, one
// at a time. A queue belongs to one lcore, whose thread is registered: without
// an lcore id its mempool has no cache (61 → 46 Mpps in a loop over net_null).
// The names follow github.com/yerden/go-dpdk (eal, ethdev, mempool, mbuf).
package dpdk
