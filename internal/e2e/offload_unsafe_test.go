//go:build dpdk

package e2e

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// checksumsBySoftware has the kernel write whole checksums into what it sends
// through an interface. Over a veth it leaves them to a device that never comes.
// It is `ethtool -K iface tx off`.
func checksumsBySoftware(t *testing.T, iface string) {
	t.Helper()
	const setTxChecksum = 0x17           // ETHTOOL_STXCSUM
	value := [2]uint32{setTxChecksum, 0} // struct ethtool_value
	request := struct {                  // struct ifreq
		name [unix.IFNAMSIZ]byte
		data *[2]uint32
		_    [16]byte
	}{data: &value}
	copy(request.name[:], iface)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		t.Fatalf("checksums of %s: %v", iface, errno)
	}
}
