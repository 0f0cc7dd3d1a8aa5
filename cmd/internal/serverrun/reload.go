package serverrun

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
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

// reloadRequest is a wish for a reload; answer, which may be nil, has room for one.
type reloadRequest struct {
	reason string
	answer chan<- reloadOutcome
}

type reloadOutcome struct {
	report Reload
	err    error
}

var errReloadsAlready = errors.New("a reload is under way already, and another one waits")

// askForReload does not wait. One wish may wait for the reload that is under way; what comes beyond it is served by that
// one as well, because it begins later.
func (s *server) askForReload(asked reloadRequest) {
	select {
	case s.reloadQueue <- asked:
	default:
		if asked.answer != nil {
			asked.answer <- reloadOutcome{err: errReloadsAlready}
		}
	}
}

// startReloads serves wishes for reloads on a goroutine of its own: a file may take long to read, and the server has to
// be told to stop meanwhile. The function that is returned ends that. A read that the system does not finish is left
// behind; it ends with the process, and touches the core no more.
func (s *server) startReloads() (end func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-s.over:
				return
			case asked := <-s.reloadQueue:
				report, err := s.reload()
				s.logReload(asked.reason, report, err)
				if asked.answer != nil {
					asked.answer <- reloadOutcome{report, err}
				}
			}
		}
	}()
	return func() {
		s.closeOver()
		s.applying.Lock()
		s.isClosing = true
		s.applying.Unlock()
		timer := time.NewTimer(s.forcedStop)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		}
	}
}

// reload loads the settings again and takes over those that may change while the server runs. With an error everything
// stays as it is.
func (s *server) reload() (Reload, error) {
	report := Reload{Changed: []string{}, Restart: []string{}}
	loaded, err := s.reconfigure()
	if err != nil {
		return report, err
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	if s.isClosing {
		return report, errStopsAlready
	}
	now := s.current()
	for _, name := range settings.Changed(now.set, loaded.set) {
		if loaded.set.Find(name).Live {
			report.Changed = append(report.Changed, name)
		}
	}
	report.Restart = append(report.Restart, s.waitForRestart(loaded)...)
	if err := s.reconfigureLogic(loaded.part); err != nil {
		return report, err
	}
	// What is the same is left alone: silence and rates count anew after a change.
	if loaded.options.Net.Limits != now.options.Net.Limits {
		if err := s.core.SetLimits(loaded.options.Net.Limits); err != nil && !errors.Is(err, bridge.ErrNotStarted) {
			return report, err // they were found good before, so this is no usual end
		}
	}
	s.level.SetLevel(loaded.options.LogLevel)
	s.core.LogLevelChanged()
	s.mutex.Lock()
	s.configuration = loaded
	s.mutex.Unlock()
	return report, nil
}

// reconfigureLogic hands the program's settings to its logic, on the logic loop. With an error the logic has not got them
// and will not.
func (s *server) reconfigureLogic(part Part) error {
	logic, ok := s.logic.(ReconfigurableLogic)
	if !ok {
		return nil
	}
	const waits, runs, isGivenUp = 0, 1, 2
	var state atomic.Int32
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), reloadTime)
	defer cancel()
	err := s.loop.Do(ctx, func(*bridge.SendBatch) {
		if state.CompareAndSwap(waits, runs) {
			defer close(done)
			logic.Reconfigure(part)
		}
	})
	if err != nil && state.CompareAndSwap(waits, isGivenUp) {
		if errors.Is(err, bridge.ErrLoopEnded) {
			return errStopsAlready
		}
		return err
	}
	<-done
	return nil
}

// waitForRestart lists the settings that differ from those the server was started with and cannot change meanwhile.
func (s *server) waitForRestart(c *configuration) []string {
	return slices.DeleteFunc(settings.Changed(s.startedWith, c.set), func(name string) bool {
		return c.set.Find(name).Live
	})
}

func (s *server) logReload(reason string, report Reload, err error) {
	if errors.Is(err, errStopsAlready) {
		s.logger.Info("no reload, "+err.Error(), zap.String("reason", reason))
		return
	}
	if err != nil {
		s.logger.Error("the settings stay as they are: "+err.Error(), zap.String("reason", reason))
		return
	}
	s.logger.Info("settings reloaded", zap.String("reason", reason), zap.Strings("changed", report.Changed))
	if len(report.Restart) > 0 {
		s.logger.Warn("some changed settings need a restart", zap.Strings("settings", report.Restart))
	}
}
