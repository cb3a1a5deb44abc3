// Package e2e tests the system as its users meet it: real servers on sockets
// and DPDK devices, the Go client, and the built programs. It owns no code that
// runs anywhere else; everything but this comment is a test.
package e2e
