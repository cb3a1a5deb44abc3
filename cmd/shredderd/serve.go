package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"shredder/dataplane"
	"shredder/internal/config"
	"shredder/internal/control"
	"shredder/internal/metrics"
	"shredder/internal/resp"
	"shredder/pktproc"
	"shredder/store/arena"
	"shredder/tenants"
)

//go:embed demo/demo.js
var demoLibrary []byte

// serve runs the server until ctx ends.
func serve(ctx context.Context, c *config.Config, stderr io.Writer) error {
	log := newLogger(&c.Log, stderr)
	s := &server{cfg: c, log: log}
	err := s.start()
	if err == nil {
		frontDoor := ""
		if s.resp != nil {
			frontDoor = s.resp.Endpoint()
		}
		log.Info().Str("driver", c.Driver).Uint16("base_port", c.BasePort).Int("lcores", len(c.Lcores)).
			Int("tenants", s.registry.Len()).Str("admin", s.admin.Endpoint()).Str("resp", frontDoor).Msg("serving")
		<-ctx.Done()
		log.Info().Msg("shutting down")
	}
	limit, cancel := context.WithTimeout(context.Background(), time.Duration(c.ShutdownTimeout))
	defer cancel()
	if stopErr := s.stop(limit); stopErr != nil {
		err = errors.Join(err, fmt.Errorf("shutdown: %w", stopErr))
	}
	if err == nil {
		log.Info().Msg("stopped")
	}
	return err
}

func newLogger(c *config.Log, w io.Writer) zerolog.Logger {
	f, isFile := w.(*os.File)
	if c.Format == "console" || c.Format == "auto" && isFile && isatty.IsTerminal(f.Fd()) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly}
	}
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// server is everything that runs, in the order of starting.
type server struct {
	cfg      *config.Config
	log      zerolog.Logger
	device   device
	registry *tenants.Registry
	plane    atomic.Pointer[dataplane.Plane]
	admin    *control.Server
	resp     *resp.Server
}

func (s *server) start() error {
	if err := s.tune(); err != nil {
		return err
	}
	var err error
	if s.device, err = openDevice(s.cfg); err != nil {
		return err
	}
	s.logPort()
	budget := arena.NewBudget(uint64(s.cfg.Memory))
	s.registry = tenants.NewRegistry(tenants.Config{
		Lcores: len(s.cfg.Lcores), Budget: budget, Loader: tenants.Interpreter{},
		Post:        func(lcore int, ev tenants.Event) { s.plane.Load().Post(lcore, ev) },
		MaxRuntimes: s.cfg.Runtimes, MaxVersions: s.cfg.Versions, Makers: s.cfg.RuntimeMakers, Logger: s.log,
	})
	if err := s.newPlane(); err != nil {
		return err
	}
	// Tenants first: requests wait in the sockets until the lcores know whom they are for.
	if err := s.createTenants(); err != nil {
		return err
	}
	if err := s.plane.Load().Start(); err != nil {
		return err
	}
	if err := s.registry.Settle(context.Background()); err != nil {
		return err
	}
	if err := s.startResp(); err != nil {
		return err
	}
	s.admin, err = control.Start(control.Config{
		Address: s.cfg.Admin.Address, Socket: s.cfg.Admin.Socket, Registry: s.registry, Logger: s.log,
		Metrics: metrics.Handler(metrics.Sources{Plane: s.plane.Load(), Port: s.device.port, Registry: s.registry, Budget: budget, Resp: s.resp}),
	})
	if err != nil {
		return err
	}
	s.admin.SetReady(true)
	return nil
}

// startResp opens the front door for Redis clients. In development mode those who do
// not say who they are are the development tenant's.
func (s *server) startResp() (err error) {
	if s.cfg.Resp == "" {
		return nil
	}
	c := resp.Config{Address: s.cfg.Resp, Registry: s.registry, Plane: s.plane.Load(), MaxClients: s.cfg.RespClients,
		IdleTimeout: time.Duration(s.cfg.RespIdle), Logger: s.log}
	if s.cfg.Dev {
		c.DefaultTenant = config.DevTenant
	}
	s.resp, err = resp.Start(c)
	return err
}

// logPort says which device this is and how it spreads frames over the lcores.
func (s *server) logPort() {
	if s.device.port == nil {
		return
	}
	if info, err := s.device.port.Info(); err == nil {
		s.log.Info().Str("port", info.Name).Str("pmd", info.Driver).Int("queues", info.Queues).Int("rx_ring", info.RxRing).
			Int("tx_ring", info.TxRing).Str("steering", string(info.Steering)).Str("steering_reason", info.SteeringReason).Msg("port open")
	}
}

// tune is the one place where the Go runtime is set up for the lcores. It comes
// before EAL and every thread of ours.
func (s *server) tune() error {
	var pollers []int
	for _, cpu := range s.cfg.Lcores {
		if cpu >= 0 {
			pollers = append(pollers, cpu)
		}
	}
	if len(pollers) == 0 {
		return nil // nothing is pinned: the runtime's own settings are for that
	}
	t, err := dataplane.Tune(dataplane.TuneConfig{Pollers: pollers, MemoryLimit: int64(s.cfg.Heap)})
	if err != nil {
		return fmt.Errorf("set up the runtime: %w", err)
	}
	s.log.Info().Int("gomaxprocs", t.MaxProcs).Ints("housekeeping_cpus", t.Housekeeping).Msg("runtime tuned")
	if t.Shared {
		s.log.Warn().Msg("no CPU is left for the runtime: its collections will stop the poll loops for milliseconds")
	}
	return nil
}

func (s *server) newPlane() error {
	idle, err := dataplane.ParseStrategy(s.cfg.Idle)
	if err != nil {
		return err
	}
	pc := pktproc.Config{
		BasePort: s.cfg.BasePort, Addresses: s.device.addresses, Registry: s.registry, AlwaysChecksum: s.cfg.AlwaysChecksum,
		Limits: pktproc.Limits{Sessions: s.cfg.Sessions.Max, SessionsPerTenant: s.cfg.Sessions.PerTenant,
			SessionIdleSeconds: uint32(time.Duration(s.cfg.Sessions.Idle).Seconds())},
	}
	if _, err := rand.Read(pc.ServerKey[:]); err != nil {
		return err
	}
	plane, err := dataplane.New(dataplane.Config{
		Queues: s.device.queues, CPUs: s.cfg.Lcores, Idle: idle, RegisterThread: s.device.registerThread, Processor: pc,
	})
	if err != nil {
		return err
	}
	s.plane.Store(plane)
	return nil
}

// createTenants makes the configured tenants, those with an id of their own first.
func (s *server) createTenants() error {
	var errs []error
	for _, withID := range []bool{true, false} {
		for _, t := range s.cfg.Tenants {
			if (t.ID != 0) != withID {
				continue
			}
			spec, err := t.Spec()
			if err == nil {
				if s.cfg.Dev && t.Name == config.DevTenant && len(spec.Libraries) == 0 {
					spec.Libraries = []tenants.Source{{Name: "demo", Text: demoLibrary}}
				}
				_, err = s.registry.Create(spec)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stop ends what start has started, last first: no new admin requests, then the
// lcores, which kill what runs and close their queues, then the tenants' memory, then the ports.
func (s *server) stop(ctx context.Context) error {
	var errs []error
	if s.admin != nil {
		s.admin.SetReady(false)
		errs = append(errs, s.admin.Close(ctx))
	}
	if s.resp != nil {
		errs = append(errs, s.resp.Close(ctx))
	}
	if plane := s.plane.Load(); plane != nil {
		if err := plane.Close(ctx); err != nil {
			return errors.Join(append(errs, err)...) // the lcores still use everything below
		}
	} else {
		errs = append(errs, s.device.closeQueues())
	}
	if s.registry != nil {
		errs = append(errs, s.registry.Close(ctx))
	}
	return errors.Join(append(errs, s.device.close())...)
}
