//go:build dpdk

package dpdk

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"testing"
	"time"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/nictest"
)

const (
	memifClientVar = "SHREDDER_DPDK_TEST_MEMIF_CLIENT" // "flood" or "verify"
	memifSocketVar = "SHREDDER_DPDK_TEST_MEMIF_SOCKET"
)

// TestMemifClientKilled kills clients under load; the server goes on, loses no
// mbuf and serves the next client.
func TestMemifClientKilled(t *testing.T) {
	switch os.Getenv(memifClientVar) {
	case "flood":
		flood(memifClient(t))
		return
	case "verify":
		verify(t, memifClient(t))
		return
	}
	if !inChild(t) {
		return
	}
	socket := t.TempDir() + "/memif.sock"
	startEAL(t, "--vdev=net_memif0,role=server,socket-abstract=no,socket="+socket)
	p := openPort(t, PortConfig{Name: "net_memif0"})
	q := p.Queue(0)
	for round := range 3 {
		client := startClient(t, "flood", socket)
		target := q.Stats().RxFrames + 50_000
		serveUntil(t, q, func() bool { return q.Stats().RxFrames >= target })
		client.Process.Kill()
		client.Wait()
		serveUntil(t, q, func() bool {
			link, err := p.Link()
			return err == nil && !link.Up
		})
		t.Logf("round %d: %+v", round, q.Stats())
	}
	client := startClient(t, "verify", socket)
	done := make(chan error, 1)
	go func() { done <- client.Wait() }()
	var err error
	serveUntil(t, q, func() bool {
		select {
		case err = <-done:
			return true
		default:
			return false
		}
	})
	if err != nil {
		t.Errorf("the last client: %v\n%s", err, client.Stdout)
	}
}

// serveUntil echoes frames until done says so.
func serveUntil(t *testing.T, q nic.Queue, done func() bool) {
	t.Helper()
	var b nic.Burst
	for deadline := time.Now().Add(2 * nictest.Patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %+v", q.Stats())
		}
		for range 64 {
			q.RxBurst(&b)
			for i := range b.Frames[:b.N] {
				b.Frames[i].Verdict = nic.Reply
			}
			q.TxBurst(&b)
		}
		q.Flush()
	}
}

func startClient(t *testing.T, mode, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMemifClientKilled$", "-test.count=1")
	cmd.Env = append(os.Environ(), memifClientVar+"="+mode, memifSocketVar+"="+socket)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

func memifClient(t *testing.T) nic.Queue {
	startEAL(t, "--vdev=net_memif0,role=client,socket-abstract=no,socket="+os.Getenv(memifSocketVar))
	p := openPort(t, PortConfig{Name: "net_memif0"})
	waitLinkIs(t, true, p)
	return p.Queue(0)
}

// flood sends as fast as it can for as long as it lives; should nobody kill it,
// it ends by itself.
func flood(q nic.Queue) {
	var b nic.Burst
	for end := time.Now().Add(3 * nictest.Patience); time.Now().Before(end); {
		for range nic.BurstSize {
			if f, ok := q.Alloc(); ok {
				f.Len = 64
				q.Send(f)
			}
		}
		q.RxBurst(&b)
		q.TxBurst(&b)
	}
}

// verify has a thousand frames echoed one by one.
func verify(t *testing.T, q nic.Queue) {
	var b nic.Burst
	q.RxBurst(&b) // offers buffers to receive into
	q.TxBurst(&b)
	for i := range 1000 {
		f, ok := q.Alloc()
		if !ok {
			t.Fatal("no buffer")
		}
		f.Len = 64
		binary.BigEndian.PutUint64(f.Data, uint64(i))
		q.Send(f)
		for deadline := time.Now().Add(nictest.Patience); q.RxBurst(&b) == 0; {
			if time.Now().After(deadline) {
				t.Fatalf("frame %d did not come back", i)
			}
		}
		if got := binary.BigEndian.Uint64(b.Frames[0].Data); got != uint64(i) {
			t.Fatalf("frame %d came back as %d", i, got)
		}
		q.TxBurst(&b)
	}
}

// TestManyQueues sends on each queue of one end and finds each frame on the same
// queue of the other: memif pairs its queues.
func TestManyQueues(t *testing.T) {
	if !inChild(t) {
		return
	}
	const queues = 4
	args, server, client := memifPair(t.TempDir(), "")(0)
	startEAL(t, args...)
	config := PortConfig{Queues: queues, Name: server, MempoolSize: 8191, FlowBasePort: 9000}
	served := openPort(t, config)
	config.Name = client
	other := openPort(t, config)
	t.Cleanup(func() {
		if err := served.Close(); err != nil {
			t.Error(err)
		}
		waitLinkIs(t, false, other)
		time.Sleep(20 * time.Millisecond) // as in pairs
	})
	waitLinkIs(t, true, served, other)
	for i := range 200 {
		(&peer{t: t, queue: other.Queue(i % queues)}).inject(bytes.Repeat([]byte{byte(i)}, 100))
		for k := range queues {
			var b nic.Burst
			want := 0
			if k == i%queues {
				want = 1
			}
			got := served.Queue(k).RxBurst(&b)
			for deadline := time.Now().Add(nictest.Patience); got < want && time.Now().Before(deadline); {
				got = served.Queue(k).RxBurst(&b)
			}
			if got != want || want == 1 && b.Frames[0].Data[0] != byte(i) {
				t.Fatalf("frame %d: queue %d received %d", i, k, got)
			}
			served.Queue(k).TxBurst(&b)
		}
	}
	if info, err := served.Info(); err != nil || info.Steering != SteeringDevice || info.SteeringReason == "" {
		t.Errorf("%+v, %v", info, err)
	}
}
