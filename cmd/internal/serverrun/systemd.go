package serverrun

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"iocpnetlib/bridge"
	"iocpnetlib/cmd/internal/admin"
)

// notifySystemd tells systemd how far the server has come, if systemd has started it with Type=notify. atMost is how long
// the state may last, so that systemd waits for it although the unit's TimeoutStopSec is shorter; 0: that need not be
// said.
func notifySystemd(state admin.State, atMost time.Duration, logger *zap.Logger) {
	message := "STATUS=" + string(state)
	switch state {
	case admin.StateReady:
		message += "\n" + daemon.SdNotifyReady
	case admin.StateDraining, admin.StateStopping:
		message += "\n" + daemon.SdNotifyStopping
	case admin.StateStarting:
	}
	if atMost > 0 {
		message += fmt.Sprintf("\nEXTEND_TIMEOUT_USEC=%d", atMost.Microseconds())
	}
	if _, err := daemon.SdNotify(false, message); err != nil {
		logger.Warn("systemd could not be told", zap.String("state", string(state)), zap.Error(err))
	}
}

// startWatchdog tells systemd now and then that the logic loop comes round, if the unit has WatchdogSec: a server whose
// loop hangs is then started again. The function that is returned ends that.
func (s *server) startWatchdog() (stop func()) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil || limit == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(limit / 2)
		defer ticker.Stop()
		for {
			if err := s.loop.Do(ctx, func(*bridge.SendBatch) {}); err != nil {
				return // the loop or this has ended
			}
			if _, err := daemon.SdNotify(false, daemon.SdNotifyWatchdog); err != nil {
				s.logger.Warn("systemd could not be told that the server is alive", zap.Error(err))
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
