package serverrun

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

func serviceUsage(name string) string {
	return fmt.Sprintf("       %s service install [options] | start | stop | remove\n", name)
}

// How long "service start" and "service stop" wait.
const (
	serviceStartTime = 30 * time.Second
	serviceStopTime  = 5 * time.Minute
)

// service manages the Windows service that runs the program.
func (p *Program) service(arguments []string, stdout io.Writer, stderr *os.File) int {
	if len(arguments) == 0 {
		fmt.Fprintf(stderr, "%s: usage:\n%s", p.Name, serviceUsage(p.Name))
		return ExitUsage
	}
	var err error
	switch arguments[0] {
	case "install":
		if configuration, wrong := p.configure(arguments[1:], false); wrong != nil {
			return p.usage(configuration, wrong, stdout, stderr)
		}
		err = p.installService(arguments[1:])
	case "start":
		err = p.withService(startService)
	case "stop":
		err = p.withService(stopService)
	case "remove":
		err = p.withService(func(service *mgr.Service) error { return service.Delete() })
	case "run": // what the system starts
		return p.serveAsService(arguments[1:], stderr)
	default:
		fmt.Fprintf(stderr, "%s: there is no service %s; usage:\n%s", p.Name, arguments[0], serviceUsage(p.Name))
		return ExitUsage
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: service %s: %v\n", p.Name, arguments[0], err)
		return ExitError
	}
	fmt.Fprintf(stdout, "service %s: done\n", arguments[0])
	return ExitOK
}

// installService makes a service that starts with the computer and runs with these options.
func (p *Program) installService(options []string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	command, err := serviceCommand(options)
	if err != nil {
		return err
	}
	manager, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer disconnect(manager)
	service, err := manager.CreateService(p.Name, program, mgr.Config{DisplayName: p.Name, Description: p.About,
		StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal}, command...)
	if err != nil {
		return err
	}
	defer closeService(service)
	// Started again when it ends without having been told to: a crash, or a core that has failed.
	if err := service.SetRecoveryActions([]mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: time.Second},
		{Type: mgr.ServiceRestart, Delay: 10 * time.Second}, {Type: mgr.ServiceRestart, Delay: time.Minute}},
		uint32((24 * time.Hour).Seconds())); err != nil {
		return err
	}
	// The system takes only a crash for a failure, unless it is told that an exit code is one, too. Wine has no such
	// setting.
	if err := service.SetRecoveryActionsOnNonCrashFailures(true); !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return err
	}
	return nil
}

// serviceCommand is what the system is to start the program with. "service run" says that it is a service: that can be
// guessed from its session and parent, but not in containers or under Wine. A service has a working directory of its
// own, so the path of the configuration file is made whole.
func serviceCommand(options []string) ([]string, error) {
	const option = "--config"
	command := []string{"service", "run"}
	isPath := false
	for _, word := range options {
		path, prefix := word, ""
		if rest, found := strings.CutPrefix(word, option+"="); found {
			path, prefix, isPath = rest, option+"=", true
		}
		if isPath {
			whole, err := filepath.Abs(path)
			if err != nil {
				return nil, err
			}
			word = prefix + whole
		}
		isPath = word == option
		command = append(command, word)
	}
	return command, nil
}

func (p *Program) withService(act func(service *mgr.Service) error) error {
	manager, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer disconnect(manager)
	service, err := manager.OpenService(p.Name)
	if err != nil {
		return err
	}
	defer closeService(service)
	return act(service)
}

func disconnect(manager *mgr.Mgr)       { _ = manager.Disconnect() } // a handle that is not used any more
func closeService(service *mgr.Service) { _ = service.Close() }      // the same

// startService waits until the server listens.
func startService(service *mgr.Service) error {
	if err := service.Start(); err != nil {
		return err
	}
	status, err := waitForService(service, serviceStartTime, svc.Running, svc.Stopped)
	if err == nil && status.State == svc.Stopped {
		err = fmt.Errorf("it has ended, with exit code %d; its log in ProgramData says why", exitCodeOf(status))
	}
	return err
}

// exitCodeOf is what a service has ended with: its own code, or the system's.
func exitCodeOf(status svc.Status) uint32 {
	if windows.Errno(status.Win32ExitCode) == windows.ERROR_SERVICE_SPECIFIC_ERROR {
		return status.ServiceSpecificExitCode
	}
	return status.Win32ExitCode
}

// stopService waits until the service has stopped.
func stopService(service *mgr.Service) error {
	if _, err := service.Control(svc.Stop); err != nil {
		return err
	}
	_, err := waitForService(service, serviceStopTime, svc.Stopped)
	return err
}

// waitForService waits until a service is in one of these states.
func waitForService(service *mgr.Service, limit time.Duration, states ...svc.State) (svc.Status, error) {
	for deadline := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		status, err := service.Query()
		if err != nil || slices.Contains(states, status.State) {
			return status, err
		}
		if time.Now().After(deadline) {
			return status, fmt.Errorf("it is not done within %v", limit)
		}
	}
}

// runAsService serves if the system has started the process as a service that somebody made by other means than
// "service install".
func (p *Program) runAsService(arguments []string, _ io.Writer, stderr *os.File) (code int, isService bool) {
	isService, err := svc.IsWindowsService()
	if err != nil || !isService {
		return 0, false
	}
	return p.serveAsService(arguments, stderr), true
}

func (p *Program) serveAsService(arguments []string, stderr *os.File) int {
	handler := &serviceHandler{program: p, arguments: arguments, stderr: stderr}
	if err := svc.Run(p.Name, handler); err != nil {
		fmt.Fprintf(stderr, "%s: it is not the system that has started this as a service: %v\n", p.Name, err)
		return ExitError
	}
	return handler.code
}

// serviceFolder makes the program's own folder of ProgramData the working directory. It would otherwise be the
// system's, where crash files and what else has no full path do not belong.
func serviceFolder(name string) error {
	data, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return err
	}
	folder := filepath.Join(data, name)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	return os.Chdir(folder)
}

// serviceLog is the file that a service logs to, which has no standard error: NAME.log in the program's own folder of
// ProgramData. It is begun anew by each start; the one before is kept as NAME.old.log.
func serviceLog(name string) (*os.File, error) {
	if err := os.Rename(name+".log", name+".old.log"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// serviceHandler is the program as a service.
type serviceHandler struct {
	program   *Program
	arguments []string
	stderr    *os.File
	code      int
}

// Execute is part of svc.Handler: it serves until the system wants it to stop.
func (h *serviceHandler) Execute(_ []string, controls <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	const accepted = svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange
	status <- svc.Status{State: svc.StartPending}
	if err := serviceFolder(h.program.Name); err == nil {
		if log, err := serviceLog(h.program.Name); err == nil {
			h.stderr = log
		}
	}
	stop, reload := make(chan os.Signal, 2), make(chan os.Signal, 1)
	ended := make(chan int, 1)
	listening := make(onWrite, 1)
	go func() { ended <- h.program.run(h.arguments, signals{stop, reload}, listening, h.stderr) }()
	for {
		select {
		case <-listening:
			status <- svc.Status{State: svc.Running, Accepts: accepted}
		case h.code = <-ended:
			status <- svc.Status{State: svc.StopPending}
			return h.code != ExitOK, uint32(h.code)
		case control := <-controls:
			switch control.Cmd {
			case svc.Interrogate:
				status <- control.CurrentStatus
			case svc.Stop:
				status <- svc.Status{State: svc.StopPending, WaitHint: uint32(time.Minute.Milliseconds())}
				stop <- os.Interrupt
			case svc.Shutdown: // the system leaves no time for a drain
				status <- svc.Status{State: svc.StopPending, WaitHint: uint32(closeEventTime.Milliseconds())}
				stop <- syscall.SIGTERM
			case svc.ParamChange:
				select {
				case reload <- syscall.SIGHUP:
				default: // one waits already
				}
			}
		}
	}
}

// onWrite is the standard output of a service, which has none: that something is written to it is the news that the
// server listens.
type onWrite chan struct{}

func (w onWrite) Write(p []byte) (int, error) {
	select {
	case w <- struct{}{}:
	default:
	}
	return len(p), nil
}
