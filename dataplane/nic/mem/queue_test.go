package mem

import (
	"testing"

	"shredder/dataplane/nic/nictest"
)

func TestConformance(t *testing.T) {
	nictest.Run(t, func(t *testing.T) *nictest.Fixture {
		w := NewWire(Config{})
		return &nictest.Fixture{
			Queue: w.Queue(0), Shortest: 14, Longest: 1514,
			Inject: w.Inject,
			Collect: func(n int) [][]byte {
				var all [][]byte
				for range n {
					if frame, ok := w.Collect(); ok {
						all = append(all, frame)
					}
				}
				return all
			},
			Pending: func() bool { return w.Pending() > 0 },
			Payload: func(frame []byte) []byte { return frame },
			Answer:  func([]byte) {},
			Compose: func(room, payload []byte) int { return copy(room, payload) },
			InUse:   w.Queue(0).InUse,
		}
	})
}
