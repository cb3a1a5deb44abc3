package peer

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestParseBusy(t *testing.T) {
	said := "  CPU cycles/packet=4572.83 (total cycles=118381429 / total 5tswap packets=25888) at 2600 MHz Clock\n"
	ns, err := parseBusy(said)
	if want := 118381429.0 / 25888 / 2.6; err != nil || ns < want-0.01 || ns > want+0.01 {
		t.Errorf("%v ns, %v, want %v", ns, err, want)
	}
	if _, err := parseBusy("RX-packets: 0"); err == nil {
		t.Error("no line of cycles, and no error")
	}
}

// TestProtocolsAgreeWithTheirReplyLengths spells out what the servers say.
func TestProtocolsAgreeWithTheirReplyLengths(t *testing.T) {
	value := strings.Repeat("v", 128)
	if got, want := (RESP{}).GetReply(8, 128), len("$128\r\n"+value+"\r\n"); got != want {
		t.Errorf("RESP reply of %d bytes, want %d", got, want)
	}
	if got, want := (Text{}).GetReply(8, 128), len("VALUE k0000001 0 128\r\n"+value+"\r\nEND\r\n"); got != want {
		t.Errorf("memcached reply of %d bytes, want %d", got, want)
	}
	if got := string(RESP{}.Get(nil, "ab")); got != "*2\r\n$3\r\nGET\r\n$2\r\nab\r\n" {
		t.Errorf("RESP GET is %q", got)
	}
	if got := string(Text{}.Set(nil, "ab", []byte("xyz"))); got != "set ab 0 0 3\r\nxyz\r\n" {
		t.Errorf("memcached set is %q", got)
	}
}

// TestPipelineAgainstATextServer plays memcached with answers in odd pieces.
func TestPipelineAgainstATextServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go playMemcached(c)
		}
	}()
	k := &Kernel{Address: netip.MustParseAddrPort(l.Addr().String()), Protocol: Text{}}
	p, err := Dial(k, 4, 8, 1000, 128)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Preload(); err != nil {
		t.Fatal(err)
	}
	ops, took, err := p.Run(8, 50*time.Millisecond)
	if err != nil || ops < 32 || ops%8 != 0 || took <= 0 {
		t.Errorf("%d operations in %v: %v", ops, took, err)
	}
}

func playMemcached(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if words[0] == "set" {
			if _, err := io.CopyN(io.Discard, r, 130); err != nil {
				return
			}
			io.WriteString(c, "STORED\r\n")
			continue
		}
		io.WriteString(c, "VALUE "+words[1]+" 0 128\r\n")
		c.Write(append(bytes.Repeat([]byte{'v'}, 128), "\r\nEND\r\n"...))
	}
}

func TestProcessPausesCountsAndEnds(t *testing.T) {
	p, err := start("sleep", -1, "", "sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.await(func() bool { n, err := p.RSS(); return err == nil && n > 0 }); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CPUNanos(); err != nil {
		t.Error(err)
	}
	if err := p.Pause(); err != nil {
		t.Error(err)
	}
	if err := p.Stop(); err != nil { // wakes it first
		t.Error(err)
	}
	if n, err := p.RSS(); err == nil && n > 0 {
		t.Error("it still runs after Stop")
	}
	failed, err := start("false", -1, "", "sh", "-c", "echo no room; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if err := failed.await(func() bool { return false }); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("the end of a server is reported as %v", err)
	}
}
