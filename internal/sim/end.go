package sim

import (
	"context"
	"fmt"
	"time"
)

// close deletes every tenant, ends the plane and wants everything back.
func (w *world) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var inUse int
	if err := w.plane.Close(ctx); err != nil {
		return err
	}
	for i := range w.lcores {
		inUse += w.wire.Queue(i).InUse()
	}
	if err := w.registry.Close(ctx); err != nil {
		return err
	}
	if inUse != 0 {
		return fmt.Errorf("%d frames were never given back", inUse)
	}
	if used := w.budget.Used(); used != 0 {
		return fmt.Errorf("%d bytes of the budget were never given back", used)
	}
	return nil
}
