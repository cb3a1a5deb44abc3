package pktproc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// bufferSize holds any datagram.
const bufferSize = (wire.MaxDatagram + 7) &^ 7

// minMTU is what every IPv4 host must take (RFC 791). With maxMTU every offset
// in a frame fits 16 bits; no datagram of ours needs more than 1,500.
const (
	minMTU = 576
	maxMTU = 60_000
)

// Processor is one lcore's half of the protocol. New makes it.
type Processor struct {
	cfg        Config
	host       host
	deviceSums bool // the device writes UDP checksums
	mtu        int
	port       uint16 // of this lcore
	now        Clock
	closed     bool

	parsed       [nic.BurstSize]parsed
	lines        [maxItems]uintptr // addresses to be prefetched
	scratch      [bufferSize]byte  // the operations of the datagram being executed in place
	scratchReply [bufferSize]byte  // the one reply that an aborted datagram keeps
	inline       request
	itemHashes   [maxItems]uint64 // of the MULTI-GET being executed
	wanted       [wire.MaxOps]wanted
	statsBuf     []byte

	sessions  sessions
	slabs     slabs
	directory *tenants.Directory
	tenants   []*tenant // by slot
	byID      []*tenant // by id, for small ids
	byBigID   map[uint32]*tenant
	freeSlots []uint32
	serial    uint32
	publisher tenants.Publisher

	hello1, hello2 rateTable
	entropy        entropy
	seed           uint64 // of the last call's random numbers

	pushes   pushes
	kept     keptResults
	tasks    taskPool
	ring     ring
	workers  workers
	copies   *task // deploys whose source is being copied, one chunk a turn
	fuelLeft int64 // for straight runs in this turn
	batches  batches

	maintain        int // slot of the tenant whose shard is maintained next
	maintainRuns    int // how often in a row it was
	publishedFrames uint64
	publishedAt     int64
	published       publishedCounters
	n               Counters
}

// New makes a Processor. It allocates what the limits bound; nothing of it is
// touched before it is used.
func New(cfg Config) (*Processor, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	caps := cfg.Queue.Capabilities()
	p := &Processor{
		cfg:        cfg,
		host:       newHost(cfg.Addresses, cfg.BasePort, cfg.Lcores),
		deviceSums: caps.TxChecksumUDP,
		mtu:        caps.MTU,
		port:       cfg.BasePort + uint16(cfg.Lcore),
		byBigID:    map[uint32]*tenant{},
		directory:  new(tenants.Directory),
	}
	if p.mtu <= 0 {
		p.mtu = 1500
	}
	if p.mtu < minMTU {
		return nil, fmt.Errorf("pktproc: an MTU of %d: IPv4 hosts take at least %d bytes", p.mtu, minMTU)
	}
	if p.mtu > maxMTU {
		return nil, fmt.Errorf("pktproc: an MTU of %d: at most %d bytes, and 1500 are enough", p.mtu, maxMTU)
	}
	l := &p.cfg.Limits
	p.sessions = newSessions(cfg.Lcore, l.Sessions)
	p.slabs = newSlabs(l.RecordBytes)
	p.entropy = newEntropy(cfg.ServerKey, cfg.Lcore)
	key := [2]uint64{p.entropy.next(), p.entropy.next()}
	p.hello1 = newRateTable(8192, l.Hello1PerSecond, l.Hello1Burst, key)
	p.hello2 = newRateTable(8192, l.FailedHello2PerSecond, l.FailedHello2Burst, key)
	p.seed = p.entropy.next()
	p.pushes = newPushes(l)
	p.kept = newKeptResults(l.Results)
	return p, nil
}

// entropy makes unpredictable 64-bit numbers without a system call: HMAC of a
// counter under a key of the lcore's own.
type entropy struct {
	key     [32]byte
	counter uint64
}

func newEntropy(serverKey [32]byte, lcore int) entropy {
	var e entropy
	mac := hmac.New(sha256.New, serverKey[:])
	mac.Write([]byte("shredder entropy"))
	mac.Write(binary.LittleEndian.AppendUint64(nil, uint64(lcore)))
	mac.Sum(e.key[:0])
	return e
}

func (e *entropy) next() uint64 {
	var msg [40]byte
	copy(msg[:], e.key[:])
	binary.LittleEndian.PutUint64(msg[32:], e.counter)
	e.counter++
	sum := sha256.Sum256(msg[:])
	return binary.LittleEndian.Uint64(sum[:])
}
