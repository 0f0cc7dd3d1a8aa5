package serverrun

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/settings"
)

// reloadTime bounds how long a reload waits for the logic loop.
const reloadTime = 5 * time.Second

// Reload tells what a reload has changed.
type Reload struct {
	Changed []string `json:"changed"` // settings that hold from now on
	Restart []string `json:"restart"` // settings that differ from those the server runs with, and need a restart
}

// reload loads the settings again and takes over those that may change while the server runs. With an error everything
// stays as it is. The goroutine of serve.
func (s *server) reload() (Reload, error) {
	report := Reload{Changed: []string{}, Restart: []string{}}
	loaded, err := s.reconfigure()
	if err != nil {
		return report, err
	}
	for _, name := range settings.Changed(s.current().set, loaded.set) {
		if loaded.set.Find(name).Live {
			report.Changed = append(report.Changed, name)
		}
	}
	report.Restart = append(report.Restart, s.waitForRestart(loaded)...)
	if err := s.core.SetLimits(loaded.options.Net.Limits); err != nil && !errors.Is(err, bridge.ErrNotStarted) {
		return report, err
	}
	if logic, ok := s.logic.(ReconfigurableLogic); ok {
		ctx, cancel := context.WithTimeout(context.Background(), reloadTime)
		defer cancel()
		err := s.loop.Do(ctx, func(*bridge.SendBatch) { logic.Reconfigure(loaded.part) })
		if err != nil && !errors.Is(err, bridge.ErrLoopEnded) {
			return report, err
		}
	}
	s.level.SetLevel(loaded.options.LogLevel)
	s.core.LogLevelChanged()
	s.mutex.Lock()
	s.configuration = loaded
	s.mutex.Unlock()
	return report, nil
}

// waitForRestart lists the settings that differ from those the server was started with and cannot change meanwhile.
func (s *server) waitForRestart(c *configuration) []string {
	return slices.DeleteFunc(settings.Changed(s.startedWith, c.set), func(name string) bool {
		return c.set.Find(name).Live
	})
}

// reloadAndLog reloads because of a signal: nobody waits for an answer.
func (s *server) reloadAndLog(reason string) {
	report, err := s.reload()
	s.logReload(reason, report, err)
}

func (s *server) logReload(reason string, report Reload, err error) {
	if err != nil {
		s.logger.Error("the settings stay as they are: "+err.Error(), zap.String("reason", reason))
		return
	}
	s.logger.Info("settings reloaded", zap.String("reason", reason), zap.Strings("changed", report.Changed))
	if len(report.Restart) > 0 {
		s.logger.Warn("some changed settings need a restart", zap.Strings("settings", report.Restart))
	}
}
