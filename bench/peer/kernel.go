package peer

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Kernel is a key-value server on a loopback TCP port.
type Kernel struct {
	*Process
	Address  netip.AddrPort
	Protocol Protocol
}

// FreePort returns a TCP port of the loopback that was free a moment ago.
func FreePort() (uint16, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String()).Port(), nil
}

// StartRedis starts redis-server without persistence on cpu.
func StartRedis(cpu int) (*Kernel, error) {
	return startKernel("redis-server", cpu, RESP{}, func(port string) []string {
		return []string{"redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--daemonize", "no"}
	})
}

// StartMemcached starts memcached with one thread on cpu.
func StartMemcached(cpu int) (*Kernel, error) {
	return startKernel("memcached", cpu, Text{}, func(port string) []string {
		return []string{"memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-t", "1", "-m", "512", "-c", "1024", "-u", "root"}
	})
}

func startKernel(name string, cpu int, protocol Protocol, argv func(port string) []string) (*Kernel, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	k := &Kernel{Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), Protocol: protocol}
	if k.Process, err = start(name, cpu, "", argv(fmt.Sprint(port))...); err != nil {
		return nil, err
	}
	return k, k.await(func() bool {
		c, err := net.DialTimeout("tcp", k.Address.String(), time.Second)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}
