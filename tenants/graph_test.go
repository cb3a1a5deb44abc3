package tenants

import "testing"

func TestGraph(t *testing.T) {
	r := newRig(t, 1, nil)
	spec := open("graph")
	spec.Graph = []byte("# comment\n1 2\n\n1\t3\n3 1\n")
	if l := r.create(spec); l.GraphNodes != 3 {
		t.Errorf("%d nodes, want 3", l.GraphNodes)
	}
	for edges, want := range map[string]string{
		"":                     "no line is an edge",
		"1 2\n1 2 3\n":         "line 2 is not",
		"x 1\n":                "line 1: \"x\"",
		"1 4294967296\n":       "line 1: \"4294967296\"",
		"9007199254740992 1\n": "line 1: \"9007199254740992\"",
	} {
		spec := open("refused")
		spec.Graph = []byte(edges)
		_, err := r.registry.Create(spec)
		wantError(t, err, nil, want)
	}
}
