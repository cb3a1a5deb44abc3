// Package control is the admin API: HTTP on a loopback address for health,
// metrics and profiles, and on a Unix socket, whose file mode is the password, for
// tenants as well. It runs on control threads and reaches lcores only through
// the registry.
package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"shredder/tenants"
)

// Config is what a Server is made of.
type Config struct {
	// Address is a loopback address and port; empty: no HTTP there.
	Address string
	// Socket is the path of the Unix socket; empty: none.
	Socket   string
	Registry *tenants.Registry
	// Metrics serves /metrics.
	Metrics http.Handler
	Logger  zerolog.Logger
}

// Server is the admin API while it serves.
type Server struct {
	cfg       Config
	ready     atomic.Bool
	listeners []net.Listener
	servers   []*http.Server
	done      chan error
}

// Start listens on what is configured and serves. /readyz says no until SetReady.
func Start(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, done: make(chan error, 2)}
	if cfg.Address != "" {
		l, err := net.Listen("tcp", cfg.Address)
		if err != nil {
			return nil, fmt.Errorf("admin address: %w", err)
		}
		s.serve(l, s.public())
	}
	if cfg.Socket != "" {
		l, err := listenUnix(cfg.Socket)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("admin socket: %w", err), s.Close(context.Background()))
		}
		s.serve(l, s.private())
	}
	return s, nil
}

// listenUnix binds a socket that only this user may open. A socket file that
// nobody listens on any more is replaced.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, fmt.Errorf("%s exists and is no socket", path)
		}
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, fmt.Errorf("%s: another process listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	// Bound under a name of its own inside a directory that only we may enter, then
	// moved: at no moment can others open it.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".shredder-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	hidden := dir + "/s"
	l, err := net.Listen("unix", hidden)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(hidden, 0o600), os.Rename(hidden, path)); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.listeners = append(s.listeners, l)
	s.servers = append(s.servers, srv)
	go func() { s.done <- srv.Serve(l) }()
}

// Endpoint returns where the HTTP server listens: "host:port", or "none".
func (s *Server) Endpoint() string {
	for _, l := range s.listeners {
		if l.Addr().Network() == "tcp" {
			return l.Addr().String()
		}
	}
	return "none"
}

// SetReady says whether requests are served, for /readyz.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// Close ends the servers: requests under way may finish until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	for _, srv := range s.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, err, srv.Close())
		}
	}
	for range s.servers {
		if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	if s.cfg.Socket != "" && len(s.servers) > 0 && s.listeners[len(s.listeners)-1].Addr().Network() == "unix" {
		errs = append(errs, os.Remove(s.cfg.Socket))
	}
	return errors.Join(errs...)
}

// public is what anybody on this machine may ask.
func (s *Server) public() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", s.cfg.Metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
