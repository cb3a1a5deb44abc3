package pktproc

import "shredder/pktproc/wire"

// logs executes LOGS: w0 first sequence number wanted, w1 most records.
func (p *Processor) logs(r *request, op wire.Op) {
	const fixed = 16
	receipt := r.receiptRoom(fixed)
	room := r.spare - fixed - receipt
	if room < 0 {
		r.fail(op, wire.StatusTooLarge)
		return
	}
	log := &r.t.local.Log
	seq, limit := max(op.Word(0), log.First()), int(op.Word(1))
	r.w.Begin(wire.OpLogs, 0, wire.StatusOK)
	r.w.Word(0)
	r.w.Word(0)
	r.putReceipt(fixed)
	dst := r.w.ValueRoom()[:0:room]
	n := 0
	for n < limit {
		rec, ok := log.At(seq)
		if !ok || len(dst)+wire.LogSize(len(rec.Text)) > room {
			break
		}
		dst = wire.AppendLog(dst, wire.LogRecord{Seq: rec.Seq, UnixMillis: rec.UnixMillis, Level: uint16(rec.Level), Text: rec.Text})
		seq++
		n++
	}
	r.w.SetWord(0, seq)
	r.w.SetWord(1, uint64(n))
	r.w.ValueDone(len(dst))
	r.w.End()
}
