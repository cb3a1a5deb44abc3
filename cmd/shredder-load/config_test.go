package main

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"shredder/bench/load"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/udp"
	"shredder/dpdk"
	"shredder/pktproc/wire"
)

func TestParseMix(t *testing.T) {
	mix, err := parseMix("get=70, set=29,ping")
	if want := []load.Share{{Kind: load.Get, Weight: 70}, {Kind: load.Set, Weight: 29}, {Kind: load.Ping, Weight: 1}}; err != nil || !slices.Equal(mix, want) {
		t.Errorf("got %v, %v", mix, err)
	}
	for _, bad := range []string{"", "fetch=1", "get=x", "get=-1"} {
		if _, err := parseMix(bad); err == nil {
			t.Errorf("parseMix(%q) is accepted", bad)
		}
	}
}

func TestEncodeArgs(t *testing.T) {
	b, err := encodeArgs(`[0, 3, 2.5, "a", null, true, {"x": 1}]`)
	if err != nil {
		t.Fatal(err)
	}
	var tags []uint8
	for len(b) > 0 {
		a, rest, st := wire.FirstArg(b)
		if st != wire.StatusOK {
			t.Fatalf("argument %d: %v", len(tags), st)
		}
		tags = append(tags, a.Tag())
		b = rest
	}
	want := []uint8{wire.TagInt, wire.TagInt, wire.TagDouble, wire.TagString, wire.TagNull, wire.TagTrue, wire.TagJSON}
	if !slices.Equal(tags, want) {
		t.Errorf("tags %v, want %v", tags, want)
	}
	if _, err := encodeArgs(`{"a":1}`); err == nil {
		t.Error("an object was accepted as a list of arguments")
	}
}

// TestOverKernelSockets runs the command against a server that answers PING.
func TestOverKernelSockets(t *testing.T) {
	server, err := udp.Open(udp.Config{Address: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		answerPings(server, stop)
	}()
	c := command()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(strings.Fields("--device udp --local 127.0.0.1:0 --mix ping --value-size 8 --depth 4 --duration 50ms --warmup 0s --output json --remote " + server.Address().String()))
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-done
	var r load.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v in %s", err, out.Bytes())
	}
	if r.Received == 0 || r.Statuses["OK"] == 0 || r.Failed() != 0 || r.Latency == nil {
		t.Errorf("result: %s", out.Bytes())
	}
}

// answerPings turns requests round until stop is closed.
func answerPings(q *udp.Queue, stop chan struct{}) {
	const udpOff, datagramOff = 34, 42
	var b nic.Burst
	for {
		select {
		case <-stop:
			q.Close()
			return
		default:
		}
		q.Wait(1_000_000)
		q.RxBurst(&b)
		for i := range b.N {
			f := &b.Frames[i]
			var ip [4]byte
			var port [2]byte
			copy(ip[:], f.Data[26:30])
			copy(f.Data[26:30], f.Data[30:34])
			copy(f.Data[30:34], ip[:])
			copy(port[:], f.Data[udpOff:])
			copy(f.Data[udpOff:udpOff+2], f.Data[udpOff+2:udpOff+4])
			copy(f.Data[udpOff+2:], port[:])
			h := wire.MakeHeader(f.Data[datagramOff:f.Len])
			h.SetFlags(wire.FlagReply)
			f.Verdict = nic.Reply
		}
		q.TxBurst(&b)
		q.Flush()
	}
}

func TestWithoutDPDKTheErrorSaysSo(t *testing.T) {
	missing := dpdk.Available()
	if missing == nil {
		return // built in: package dpdk tests devices
	}
	c := command()
	c.SetArgs([]string{"--mix", "ping"})
	if err := c.Execute(); err == nil || err.Error() != missing.Error() {
		t.Errorf("error is %v, want %v", err, missing)
	}
}

func TestFlagErrors(t *testing.T) {
	for _, args := range []string{"--mode x", "--output x", "--mix call", "--local 1.2.3.4", "--remote-mac 01:02", "--device x", "--args 1", "--duration 0s"} {
		c := command()
		c.SetArgs(strings.Fields(args))
		if err := c.Execute(); err == nil {
			t.Errorf("%s is accepted", args)
		}
	}
}
