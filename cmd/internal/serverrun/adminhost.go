package serverrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/cmd/internal/admin"
)

// startAdmin starts the admin page, if there is to be one. A server that was not told where does not depend on it:
// several servers on one computer have the same default.
func (s *server) startAdmin() (*admin.Server, error) {
	c := s.current()
	if c.options.Admin == "" {
		return nil, nil
	}
	logic, _ := s.logic.(admin.Logic)
	page, err := admin.Start(admin.Config{
		Name:           s.name,
		Address:        c.options.Admin,
		Token:          c.options.AdminToken,
		MaxConnections: c.options.Places(),
		MessagePool:    c.options.Net.MessagePool * c.options.doorCount(), // each has its own

		CertificateExpires: s.doors.certificateExpires,

		Core:     s.core,
		Loop:     s.loop,
		Host:     adminHost{s},
		Logic:    logic,
		Logger:   s.logger,
		LogLines: s.logQueue.leftOut,
	})
	if err != nil && c.set.Find("admin").Source().IsDefault() {
		s.logger.Warn("there is no admin page; --admin names another address for it", zap.Error(err))
		return nil, nil
	}
	return page, err
}

// adminHost is what the admin page may do to the server.
type adminHost struct{ server *server }

func (h adminHost) State() admin.State { return h.server.State() }

func (h adminHost) WriteConfig(to io.Writer) {
	c := h.server.current()
	c.set.WriteConfig(to)
	if waiting := h.server.waitForRestart(c); len(waiting) > 0 {
		fmt.Fprintf(to, "# These hold after a restart only: %s\n", strings.Join(waiting, ", "))
	}
}

func (h adminHost) Reload(ctx context.Context) (any, error) {
	answer := make(chan reloadOutcome, 1)
	h.server.askForReload(reloadRequest{reason: "admin page", answer: answer})
	select {
	case outcome := <-answer:
		return outcome.report, outcome.err
	case <-h.server.over:
		return nil, errStopsAlready
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// What is said to who asks a server to stop that cannot, yet or any more.
var (
	errStarts       = errors.New("the server is starting")
	errStopsAlready = errors.New("the server is stopping already")
)

func (h adminHost) Drain(ctx context.Context, limit *time.Duration) error {
	drain := h.server.current().options.Drain
	if limit != nil {
		drain = *limit
	}
	switch h.server.State() {
	case admin.StateStarting:
		return errStarts
	case admin.StateStopping:
		return errStopsAlready
	case admin.StateReady, admin.StateDraining:
	}
	select {
	case h.server.stopAsked <- drain:
		return nil
	case <-h.server.over:
		return errStopsAlready
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
