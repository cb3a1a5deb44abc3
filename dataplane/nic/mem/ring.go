package mem

// ring is one direction's frames in order of arrival, bounded, with the frames
// that reordering holds back. Cells are reused, so that a steady state allocates
// nothing.
type ring struct {
	cells [][]byte // a circle of frames
	head  int
	n     int
	held  []heldFrame
	spare [][]byte
}

// heldFrame is a frame that arrives after behind more frames, or when the
// receiver finds nothing else.
type heldFrame struct {
	cell   []byte
	behind int
}

func newRing(size int) ring {
	return ring{cells: make([][]byte, size), held: make([]heldFrame, 0, size), spare: make([][]byte, 0, size+1)}
}

func (r *ring) full() bool { return r.n+len(r.held) >= len(r.cells) }

// cell is a copy of frame in a reused buffer.
func (r *ring) cell(frame []byte) []byte {
	if last := len(r.spare) - 1; last >= 0 {
		c := r.spare[last]
		r.spare = r.spare[:last]
		return append(c[:0], frame...)
	}
	return append(make([]byte, 0, max(len(frame), 2048)), frame...)
}

func (r *ring) put(cell []byte, behind int) {
	if behind > 0 {
		r.held = append(r.held, heldFrame{cell, behind})
		return
	}
	r.push(cell)
	kept := r.held[:0]
	for _, h := range r.held {
		if h.behind--; h.behind == 0 {
			r.push(h.cell)
		} else {
			kept = append(kept, h)
		}
	}
	r.held = kept
}

func (r *ring) push(cell []byte) {
	r.cells[(r.head+r.n)%len(r.cells)] = cell
	r.n++
}

// take returns the next frame, valid until the next call of cell, or nil.
func (r *ring) take() []byte {
	if r.n == 0 {
		return nil
	}
	c := r.cells[r.head]
	r.head = (r.head + 1) % len(r.cells)
	r.n--
	r.spare = append(r.spare, c)
	return c
}

// settle releases what is held back: the receiver has found the ring empty, so
// nothing is coming that could overtake it.
func (r *ring) settle() {
	for _, h := range r.held {
		r.push(h.cell)
	}
	r.held = r.held[:0]
}
