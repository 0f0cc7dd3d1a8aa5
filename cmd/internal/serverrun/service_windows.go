package serverrun

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

func serviceUsage(name string) string {
	return fmt.Sprintf("       %s service install [options] | start | stop | remove\n", name)
}

// serviceStopTime is how long "service stop" waits.
const serviceStopTime = 5 * time.Minute

// service manages the Windows service that runs the program.
func (p *Program) service(arguments []string, stdout io.Writer, stderr *os.File) int {
	if len(arguments) == 0 {
		fmt.Fprintf(stderr, "%s: usage:\n%s", p.Name, serviceUsage(p.Name))
		return ExitUsage
	}
	var err error
	switch arguments[0] {
	case "install":
		if configuration, wrong := p.configure(arguments[1:]); wrong != nil {
			return p.usage(configuration, wrong, stdout, stderr)
		}
		err = p.installService(arguments[1:])
	case "start":
		err = p.withService(func(service *mgr.Service) error { return service.Start() })
	case "stop":
		err = p.withService(stopService)
	case "remove":
		err = p.withService(func(service *mgr.Service) error { return service.Delete() })
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
	manager, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer disconnect(manager)
	service, err := manager.CreateService(p.Name, program, mgr.Config{DisplayName: p.Name, Description: p.About,
		StartType: mgr.StartAutomatic, ErrorControl: mgr.ErrorNormal}, options...)
	if err != nil {
		return err
	}
	defer closeService(service)
	// Started again when it ends without having been told to: a crash, or a loop that hangs and was ended.
	return service.SetRecoveryActions([]mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: time.Second},
		{Type: mgr.ServiceRestart, Delay: 10 * time.Second}, {Type: mgr.ServiceRestart, Delay: time.Minute}},
		uint32((24 * time.Hour).Seconds()))
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

// stopService waits until the service has stopped.
func stopService(service *mgr.Service) error {
	status, err := service.Control(svc.Stop)
	for deadline := time.Now().Add(serviceStopTime); err == nil && status.State != svc.Stopped; {
		if time.Now().After(deadline) {
			return fmt.Errorf("it has not stopped within %v", serviceStopTime)
		}
		time.Sleep(100 * time.Millisecond)
		status, err = service.Query()
	}
	return err
}

// runAsService serves if the system has started the process as a service.
func (p *Program) runAsService(arguments []string, stdout io.Writer, stderr *os.File) (code int, isService bool) {
	isService, err := svc.IsWindowsService()
	if err != nil || !isService {
		return 0, false
	}
	handler := &serviceHandler{program: p, arguments: arguments, stdout: stdout, stderr: stderr}
	if log, err := serviceLog(p.Name); err == nil {
		handler.stderr = log
	}
	if err := svc.Run(p.Name, handler); err != nil {
		return ExitError, true
	}
	return handler.code, true
}

// serviceLog is the file that a service logs to, which has no standard error: NAME.log in the program's own folder of
// ProgramData. It is begun anew by each start; the one before is kept as NAME.old.log.
func serviceLog(name string) (*os.File, error) {
	data, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(data, name)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, name+".log")
	if err := os.Rename(path, filepath.Join(folder, name+".old.log")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// serviceHandler is the program as a service.
type serviceHandler struct {
	program   *Program
	arguments []string
	stdout    io.Writer
	stderr    *os.File
	code      int
}

// Execute is part of svc.Handler: it serves until the system wants it to stop.
func (h *serviceHandler) Execute(_ []string, controls <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	const accepted = svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange
	status <- svc.Status{State: svc.StartPending}
	signals := make(chan os.Signal, 2)
	ended := make(chan int, 1)
	go func() { ended <- h.program.run(h.arguments, signals, h.stdout, h.stderr) }()
	status <- svc.Status{State: svc.Running, Accepts: accepted}
	for {
		select {
		case h.code = <-ended:
			status <- svc.Status{State: svc.StopPending}
			return h.code != ExitOK, uint32(h.code)
		case control := <-controls:
			switch control.Cmd {
			case svc.Interrogate:
				status <- control.CurrentStatus
			case svc.Stop:
				status <- svc.Status{State: svc.StopPending, WaitHint: uint32(time.Minute.Milliseconds())}
				signals <- os.Interrupt
			case svc.Shutdown: // the system leaves no time for a drain
				status <- svc.Status{State: svc.StopPending, WaitHint: uint32(closeEventTime.Milliseconds())}
				signals <- syscall.SIGTERM
			case svc.ParamChange:
				signals <- syscall.SIGHUP
			}
		}
	}
}
