package tenants

import "unicode/utf8"

// Limits of a tenant's log.
const (
	// MaxLogRecords is how many records a log keeps; a power of two.
	MaxLogRecords = 1024
	// MaxLogSize is how many bytes of text a log keeps; a power of two.
	MaxLogSize = 64 << 10
	// MaxLogText is the longest text of one record in bytes. The rest is cut
	// off, so that every record fits a datagram.
	MaxLogText = 1024

	firstLogRecords = 16
	firstLogSize    = 2 << 10
)

// Log is a ring of a tenant's last log records, the home lcore's alone. It takes
// no memory until the first record and grows to its limits in factors of four.
// Records are numbered from 1; a full log drops its oldest.
type Log struct {
	records []logEntry // by sequence number modulo the length
	text    []byte     // by position modulo the length; no text wraps around
	first   uint64     // oldest record kept
	next    uint64     // number of the next record
	end     uint64     // position behind the newest text
}

type logEntry struct {
	pos        uint64
	unixMillis int64
	size       uint16
	level      uint8
}

// LogRecord is one record. Text is borrowed until the next Append.
type LogRecord struct {
	Seq        uint64
	UnixMillis int64
	Level      uint8
	Text       []byte
}

// First returns the number of the oldest record kept; it equals Next if there is none.
func (l *Log) First() uint64 { return max(l.first, 1) }

// Next returns the number that the next record will get.
func (l *Log) Next() uint64 { return max(l.next, 1) }

// At returns record seq, or false if it is gone or not written yet.
func (l *Log) At(seq uint64) (LogRecord, bool) {
	if seq < l.First() || seq >= l.Next() {
		return LogRecord{}, false
	}
	e := &l.records[seq%uint64(len(l.records))]
	at := e.pos % uint64(len(l.text))
	end := at + uint64(e.size)
	return LogRecord{Seq: seq, UnixMillis: e.unixMillis, Level: e.level, Text: l.text[at:end:end]}, true
}

// Append writes a record. text is copied, cut off at MaxLogText bytes.
func (l *Log) Append(unixMillis int64, level uint8, text []byte) {
	text = cutText(text)
	if l.records == nil {
		l.first, l.next = 1, 1
		l.records, l.text = make([]logEntry, firstLogRecords), make([]byte, firstLogSize)
	}
	for !l.fits(len(text)) && len(l.text) < MaxLogSize {
		l.grow()
	}
	for !l.fits(len(text)) {
		l.first++
	}
	l.write(unixMillis, level, text)
}

// cutText shortens text to MaxLogText bytes without splitting a rune.
func cutText(text []byte) []byte {
	if len(text) <= MaxLogText {
		return text
	}
	n := MaxLogText
	for n > MaxLogText-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// start returns the position at which a text of size bytes would be written:
// the end, or the next turn of the ring if it would wrap around.
func (l *Log) start(size int) uint64 {
	ring := uint64(len(l.text))
	if room := ring - l.end%ring; uint64(size) > room {
		return l.end + room
	}
	return l.end
}

// fits reports whether a text of size bytes can be written without dropping a record.
func (l *Log) fits(size int) bool {
	if l.first == l.next {
		return true
	}
	oldest := l.records[l.first%uint64(len(l.records))].pos
	return l.next-l.first < uint64(len(l.records)) &&
		l.start(size)+uint64(size)-oldest <= uint64(len(l.text))
}

func (l *Log) write(unixMillis int64, level uint8, text []byte) {
	pos := l.start(len(text))
	copy(l.text[pos%uint64(len(l.text)):], text)
	l.records[l.next%uint64(len(l.records))] = logEntry{pos: pos, unixMillis: unixMillis, size: uint16(len(text)), level: level}
	l.end = pos + uint64(len(text))
	l.next++
}

// grow moves every record to rings four times as large, at most the limits.
func (l *Log) grow() {
	old := *l
	l.records = make([]logEntry, min(4*len(old.records), MaxLogRecords))
	l.text = make([]byte, min(4*len(old.text), MaxLogSize))
	l.next, l.end = l.first, 0
	for seq := old.first; seq < old.next; seq++ {
		r, _ := old.At(seq)
		l.write(r.UnixMillis, r.Level, r.Text)
	}
}
