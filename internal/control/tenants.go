package control

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"shredder/internal/config"
	"shredder/tenants"
)

// maxBody bounds a request's body; libraries are at most some hundred KiB.
const maxBody = 32 << 20

// private is everything of public, and tenants.
func (s *Server) private() http.Handler {
	mux := s.public()
	mux.HandleFunc("GET /tenants", s.list)
	mux.HandleFunc("POST /tenants", s.create)
	mux.HandleFunc("DELETE /tenants/{name}", s.delete)
	mux.HandleFunc("PUT /tenants/{name}/trust", s.trust)
	mux.HandleFunc("GET /tenants/{name}/logs", s.logs)
	mux.HandleFunc("GET /tenants/{name}/versions", s.versions)
	mux.HandleFunc("POST /tenants/{name}/versions", s.deploy)
	mux.HandleFunc("POST /tenants/{name}/versions/{hash}/activate", s.activate)
	mux.HandleFunc("POST /tenants/{name}/rollback", s.rollback)
	mux.HandleFunc("DELETE /tenants/{name}/versions/{hash}", s.deleteVersion)
	return mux
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"tenants": s.cfg.Registry.List()})
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var raw map[string]any
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.UseNumber() // a float64 would not hold every quota
	if err := d.Decode(&raw); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	t, err := config.ParseTenant(raw)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	spec, err := t.Spec()
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	l, err := s.cfg.Registry.Create(spec)
	if err != nil {
		failWith(w, err)
		return
	}
	if !s.settled(w, r) {
		return
	}
	s.cfg.Logger.Info().Str("tenant", l.Name).Uint32("id", l.ID).Int("home", l.Home).Msg("tenant created")
	answer(w, http.StatusCreated, map[string]any{"name": l.Name, "id": l.ID, "home": l.Home})
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if err := s.cfg.Registry.Delete(r.Context(), name); err != nil {
		failWith(w, err)
		return
	}
	s.cfg.Logger.Info().Str("tenant", name).Msg("tenant deleted")
	answer(w, http.StatusOK, map[string]any{"deleted": name})
}

// trust changes how far a tenant's functions are trusted: {"trust": "trusted"}.
func (s *Server) trust(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Trust string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	to, err := tenants.ParseTrust(asked.Trust)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	name := r.PathValue("name")
	if err := s.cfg.Registry.SetTrust(name, to); err != nil {
		failWith(w, err)
		return
	}
	if !s.settled(w, r) {
		return
	}
	s.cfg.Logger.Info().Str("tenant", name).Stringer("trust", to).Msg("trust changed")
	answer(w, http.StatusOK, map[string]any{"name": name, "trust": to.String()})
}

// logRecord is a log record as JSON.
type logRecord struct {
	Seq        uint64 `json:"seq"`
	UnixMillis int64  `json:"unix_ms"`
	Level      uint8  `json:"level"`
	Text       string `json:"text"`
}

func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	from, err := number(r, "from", 0)
	limit, err2 := number(r, "limit", tenants.MaxLogRecords)
	if err = errors.Join(err, err2); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	records, next, err := s.cfg.Registry.Logs(r.Context(), r.PathValue("name"), from, int(min(limit, tenants.MaxLogRecords)))
	if err != nil {
		failWith(w, err)
		return
	}
	out := make([]logRecord, len(records))
	for i, rec := range records {
		out[i] = logRecord{rec.Seq, rec.UnixMillis, rec.Level, string(rec.Text)}
	}
	answer(w, http.StatusOK, map[string]any{"records": out, "next": next})
}

func number(r *http.Request, key string, absent uint64) (uint64, error) {
	text := r.URL.Query().Get(key)
	if text == "" {
		return absent, nil
	}
	return strconv.ParseUint(text, 10, 64)
}

func (s *Server) versions(w http.ResponseWriter, r *http.Request) {
	infos, err := s.cfg.Registry.Versions(r.PathValue("name"))
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"versions": infos})
}

func (s *Server) deploy(w http.ResponseWriter, r *http.Request) {
	source, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	query := r.URL.Query()
	v, err := s.cfg.Registry.Deploy(r.PathValue("name"), query.Get("library"), source, query.Get("activate") != "false")
	if err != nil {
		failWith(w, err)
		return
	}
	if !s.settled(w, r) {
		return
	}
	answer(w, http.StatusCreated, map[string]any{"hash": v.Hash.String(), "functions": v.Functions})
}

func (s *Server) activate(w http.ResponseWriter, r *http.Request) {
	s.onVersion(w, r, s.cfg.Registry.Activate)
}

func (s *Server) deleteVersion(w http.ResponseWriter, r *http.Request) {
	s.onVersion(w, r, s.cfg.Registry.DeleteVersion)
}

func (s *Server) onVersion(w http.ResponseWriter, r *http.Request, do func(string, tenants.Hash) error) {
	hash, ok := tenants.ParseHash(r.PathValue("hash"))
	if !ok {
		fail(w, http.StatusBadRequest, errors.New("a version is named by 64 hexadecimal digits"))
		return
	}
	if err := do(r.PathValue("name"), hash); err != nil {
		failWith(w, err)
		return
	}
	if !s.settled(w, r) {
		return
	}
	answer(w, http.StatusOK, map[string]any{"hash": hash.String()})
}

func (s *Server) rollback(w http.ResponseWriter, r *http.Request) {
	v, err := s.cfg.Registry.Rollback(r.PathValue("name"))
	if err != nil {
		failWith(w, err)
		return
	}
	if !s.settled(w, r) {
		return
	}
	answer(w, http.StatusOK, map[string]any{"hash": v.Hash.String()})
}

// settled waits until the lcores know of a change, so that whoever is told of it
// finds it done. If they do not answer it says so and returns false.
func (s *Server) settled(w http.ResponseWriter, r *http.Request) bool {
	err := s.cfg.Registry.Settle(r.Context())
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err)
	}
	return err == nil
}

// failure is the body of every answer that is no success.
type failure struct {
	Error  string `json:"error"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// failWith chooses the status of a registry's error.
func failWith(w http.ResponseWriter, err error) {
	code := http.StatusConflict
	var le *tenants.LibraryError
	switch {
	case errors.As(err, &le):
		answer(w, http.StatusUnprocessableEntity, failure{err.Error(), le.Line, le.Column})
		return
	case errors.Is(err, tenants.ErrNoTenant), errors.Is(err, tenants.ErrNoVersion):
		code = http.StatusNotFound
	case errors.Is(err, tenants.ErrMemory):
		code = http.StatusInsufficientStorage
	case errors.Is(err, tenants.ErrClosed):
		code = http.StatusServiceUnavailable
	}
	fail(w, code, err)
}

func fail(w http.ResponseWriter, code int, err error) { answer(w, code, failure{Error: err.Error()}) }

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body) // the client may be gone
}
