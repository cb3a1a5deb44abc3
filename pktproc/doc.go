// Package pktproc turns frames into requests and requests into replies, in
// place: it is the host on the network (ARP, neighbour discovery, echo), the
// server side of the wire format (sessions, delivery window, pushes, results)
// and the scheduler of the calls that outlast one turn.
//
// A Processor belongs to its lcore: every method but Counters is called from
// the lcore's thread only, and those that resume functions (Process, Deliver,
// RunSlice, Housekeep, HandleEvent, Close) always from the same goroutine.
// Frames are the driver's; a Processor touches them only between the call that
// brings them and its return.
package pktproc
