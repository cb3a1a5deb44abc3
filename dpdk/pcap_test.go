//go:build dpdk

package dpdk

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/nictest"
)

const (
	pcapHeaderLen = 24
	pcapRecordLen = 16
)

func writePcap(t *testing.T, path string, frames [][]byte) {
	t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0)
	for _, f := range frames {
		b = append(b, make([]byte, 8)...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readPcap(t *testing.T, path string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || len(b) < pcapHeaderLen {
		t.Fatalf("read %s: %d bytes, %v", path, len(b), err)
	}
	var frames [][]byte
	for b = b[pcapHeaderLen:]; len(b) >= pcapRecordLen; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		b = b[pcapRecordLen:]
		frames = append(frames, b[:n])
		b = b[n:]
	}
	return frames
}

// TestPcap answers a file of frames into another: every second one, turned
// around, in order; a frame that is longer than an mbuf is dropped and counted.
func TestPcap(t *testing.T) {
	if !inChild(t) {
		return
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pcap"), filepath.Join(dir, "out.pcap")
	var frames, want [][]byte
	for i := range 1000 {
		f := bytes.Repeat([]byte{byte(i)}, 60+i%1455)
		if i == 500 {
			f = make([]byte, 9000)
		}
		frames = append(frames, f)
		if i%2 == 1 {
			want = append(want, bytes.Repeat([]byte{byte(i) ^ 0xff}, len(f)))
		}
	}
	writePcap(t, in, frames)
	startEAL(t, "--vdev=net_pcap0,rx_pcap="+in+",tx_pcap="+out)
	p, err := OpenPort(PortConfig{Name: "net_pcap0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	q := p.Queue(0)
	var b nic.Burst
	for deadline := time.Now().Add(nictest.Patience); q.Stats().RxFrames+p.Unfit() < 1000 && time.Now().Before(deadline); {
		q.RxBurst(&b)
		for i := range b.Frames[:b.N] {
			f := &b.Frames[i]
			for j := range f.Data[:f.Len] {
				f.Data[j] ^= 0xff
			}
			if f.Data[0]&1 == 0 {
				f.Verdict = nic.Reply
			}
		}
		q.TxBurst(&b)
	}
	q.Flush()
	if s := q.Stats(); s.RxFrames != 999 || s.TxFrames != 500 || p.Unfit() != 1 {
		t.Errorf("%+v, unfit %d", s, p.Unfit())
	}
	stats, err := p.Stats()
	if err != nil || stats.Ipackets != 1000 || stats.Opackets != 500 {
		t.Errorf("device counted %+v, %v", stats, err)
	}
	xstats, err := p.XStats()
	found := false
	for _, x := range xstats {
		found = found || x.Name == "tx_good_packets" && x.Value == 500
	}
	if err != nil || !found {
		t.Errorf("xstats %v, %v", xstats, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	got := readPcap(t, out)
	if len(got) != len(want) {
		t.Fatalf("%d frames written, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("frame %d differs", i)
		}
	}
}
