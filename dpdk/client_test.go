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
	clientVar       = "SHREDDER_DPDK_TEST_CLIENT"        // "flood" or "verify"
	clientDeviceVar = "SHREDDER_DPDK_TEST_CLIENT_DEVICE" // the --vdev of the client
)

// TestClient is the other end of the tests below, in a process of its own: it
// does what clientVar says, which is nothing when the tests are listed.
func TestClient(t *testing.T) {
	switch os.Getenv(clientVar) {
	case "flood":
		flood(clientQueue(t))
	case "verify":
		verify(t, clientQueue(t))
	}
}

// TestMemifClientKilled kills clients under load; the server goes on, loses no
// mbuf and serves the next client.
func TestMemifClientKilled(t *testing.T) {
	if !inChild(t) {
		return
	}
	socket := "socket-abstract=no,socket=" + t.TempDir() + "/memif.sock"
	startEAL(t, "--vdev=net_memif0,role=server,"+socket)
	p := openPort(t, PortConfig{Name: "net_memif0"})
	q := p.Queue(0)
	for range 3 {
		client := startClient(t, "flood", "net_memif0,role=client,"+socket)
		target := q.Stats().RxFrames + 50_000
		serveUntil(t, q, func() bool { return q.Stats().RxFrames >= target })
		client.Process.Kill()
		client.Wait()
		serveUntil(t, q, func() bool {
			link, err := p.Link()
			return err == nil && !link.Up
		})
	}
	serveClient(t, q, startClient(t, "verify", "net_memif0,role=client,"+socket))
}

// TestVhost serves a virtio-user client.
func TestVhost(t *testing.T) {
	if !inChild(t) {
		return
	}
	socket := t.TempDir() + "/vhost.sock"
	startEAL(t, "--vdev=net_vhost0,iface="+socket)
	p := openPort(t, PortConfig{Name: "net_vhost0"})
	serveClient(t, p.Queue(0), startClient(t, "verify", "net_virtio_user0,path="+socket))
}

// serveClient serves until the client has ended, which must be well.
func serveClient(t *testing.T, q nic.Queue, client *exec.Cmd) {
	t.Helper()
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
		t.Errorf("the client: %v\n%s", err, client.Stdout)
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

func startClient(t *testing.T, mode, device string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestClient$", "-test.count=1")
	cmd.Env = append(os.Environ(), clientVar+"="+mode, clientDeviceVar+"="+device)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

func clientQueue(t *testing.T) nic.Queue {
	startEAL(t, "--vdev="+os.Getenv(clientDeviceVar))
	p := openPort(t, PortConfig{})
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

// verify has a thousand frames echoed one by one. A frame that is lost, as the
// first may be while the other end is getting ready, is sent again.
func verify(t *testing.T, q nic.Queue) {
	var b nic.Burst
	q.RxBurst(&b) // offers buffers to receive into
	q.TxBurst(&b)
	for i := range uint64(1000) {
		var again time.Time
		deadline := time.Now().Add(nictest.Patience)
		for back := false; !back; {
			now := time.Now()
			if now.After(deadline) {
				t.Fatalf("frame %d did not come back: %+v", i, q.Stats())
			}
			if f, ok := q.Alloc(); ok && now.After(again) {
				again = now.Add(time.Second)
				f.Len = 64
				binary.BigEndian.PutUint64(f.Data, i)
				q.Send(f)
			} else if ok {
				q.Free(f)
			}
			q.RxBurst(&b)
			for _, f := range b.Frames[:b.N] {
				got := binary.BigEndian.Uint64(f.Data)
				if f.Len != 64 || got > i {
					t.Fatalf("frame %d came back as %d with %d bytes", i, got, f.Len)
				}
				back = back || got == i
			}
			q.TxBurst(&b)
		}
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
