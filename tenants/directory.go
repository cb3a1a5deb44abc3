package tenants

// Entry is what every lcore knows about a tenant.
type Entry struct {
	ID                     uint32
	Home                   int
	Name                   string
	DataToken, DeployToken []byte
}

// Directory finds any tenant by id or by name, on every lcore. It is immutable:
// a change makes a new one that shares all but the path to what has changed
// (three small nodes and a leaf, twice), so that creating n tenants one by one
// costs n steps and not n copies. The zero Directory is empty.
type Directory struct {
	byID, byName *branch
	count        int
}

// A trie of three levels of 16 branches, indexed by 12 bits of a hash: 4,096
// leaves, so a leaf holds two or three of 10,000 tenants.
const (
	fanOutBits = 4
	fanOut     = 1 << fanOutBits
	trieLevels = 3
)

type branch struct {
	below [fanOut]*branch // nil on the last level
	leaf  [fanOut][]*Entry
}

// NewDirectory makes a directory of the given tenants.
func NewDirectory(locals ...*Local) *Directory {
	d := new(Directory)
	for _, l := range locals {
		d = d.with(l.entry())
	}
	return d
}

func (l *Local) entry() *Entry {
	return &Entry{ID: l.ID, Home: l.Home, Name: l.Name, DataToken: l.DataToken, DeployToken: l.DeployToken}
}

// Len returns the number of tenants.
func (d *Directory) Len() int { return d.count }

// Lookup returns the home lcore of tenant id.
func (d *Directory) Lookup(id uint32) (home int, ok bool) {
	for _, e := range d.byID.find(hashID(id)) {
		if e.ID == id {
			return e.Home, true
		}
	}
	return 0, false
}

// ByName returns the tenant of that name, or a zero Entry and false.
func (d *Directory) ByName(name []byte) (Entry, bool) {
	for _, e := range d.byName.find(hashName(name)) {
		if e.Name == string(name) {
			return *e, true
		}
	}
	return Entry{}, false
}

func (d *Directory) with(e *Entry) *Directory {
	add := func(leaf []*Entry) []*Entry { return append(leaf[:len(leaf):len(leaf)], e) }
	return d.edit(e, add, d.count+1)
}

func (d *Directory) without(e *Entry) *Directory {
	drop := func(leaf []*Entry) []*Entry {
		var rest []*Entry
		for _, have := range leaf {
			if have.ID != e.ID {
				rest = append(rest, have)
			}
		}
		return rest
	}
	return d.edit(e, drop, d.count-1)
}

func (d *Directory) edit(e *Entry, change func([]*Entry) []*Entry, count int) *Directory {
	return &Directory{
		byID:   d.byID.edit(hashID(e.ID), trieLevels, change),
		byName: d.byName.edit(hashName([]byte(e.Name)), trieLevels, change),
		count:  count,
	}
}

// edit returns a copy of b in which the leaf of hash is changed.
func (b *branch) edit(hash uint32, levels int, change func([]*Entry) []*Entry) *branch {
	edited := new(branch)
	if b != nil {
		*edited = *b
	}
	i := hash >> (32 - fanOutBits)
	if levels == 1 {
		edited.leaf[i] = change(edited.leaf[i])
	} else {
		edited.below[i] = edited.below[i].edit(hash<<fanOutBits, levels-1, change)
	}
	return edited
}

func (b *branch) find(hash uint32) []*Entry {
	for range trieLevels - 1 {
		if b == nil {
			return nil
		}
		b, hash = b.below[hash>>(32-fanOutBits)], hash<<fanOutBits
	}
	if b == nil {
		return nil
	}
	return b.leaf[hash>>(32-fanOutBits)]
}

func hashID(id uint32) uint32 { return id * 0x9e3779b1 }

// hashName is FNV-1a with a last multiplication, which its high bits need.
func hashName(name []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return (h ^ h>>15) * 0x9e3779b1
}
