// Package serverprocess starts a server program of this project as a process of its own, reads its log, and stops it
// in the way that a person would.
package serverprocess

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// startTime bounds the time from the start of the process to its "listening" line: far more than is needed, so that
// only a hang reaches it.
const startTime = 30 * time.Second

// Process is a server that runs. Its methods may be called from any goroutine.
type Process struct {
	command *exec.Cmd
	port    int
	log     *Log
	done    chan struct{} // closed when the process has ended
}

// Start starts program with arguments, which have to include "--port 0" or another port, and waits until it listens.
// Variables are added to the environment. What the server logs goes to log, which Start takes over.
//
// The process gets a process group, on Windows a console, of its own: Ctrl+C at the terminal is for the caller, who
// then stops the server. On Linux it dies with the caller, however that ends.
func Start(log *Log, program string, arguments []string, variables ...string) (*Process, error) {
	p := &Process{command: exec.Command(program, arguments...), log: log, done: make(chan struct{})}
	// No admin page unless arguments ask for one: servers that run at once would all want the same address.
	p.command.Env = append(os.Environ(), append([]string{"CHATSERVER_ADMIN=", "ECHOSERVER_ADMIN="}, variables...)...)
	p.command.Stderr = log
	prepare(p.command)
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error, 1)
	stdoutRead := make(chan struct{})
	go p.run(started, stdoutRead)
	if err := <-started; err != nil {
		return nil, err
	}

	timer := time.AfterFunc(startTime, p.Kill)
	reader := bufio.NewReader(stdout)
	line, err := reader.ReadString('\n')
	timer.Stop()
	if err == nil {
		_, err = fmt.Sscanf(line, "listening on port %d\n", &p.port)
	}
	go func() {
		defer close(stdoutRead)
		_, _ = io.Copy(io.Discard, reader) // there should be nothing; what there is must not block the server
	}()
	if err != nil {
		p.Kill()
		<-p.done
		return nil, fmt.Errorf("%s did not start (%w); its log ends with:\n%s", program, err, log.Tail())
	}
	return p, nil
}

// run starts the process and waits for its end, on one thread: Linux takes the end of the thread that started a
// process for the end of its parent.
func (p *Process) run(started chan<- error, stdoutRead <-chan struct{}) {
	release := lockThread()
	defer release()
	err := p.command.Start()
	started <- err
	if err != nil {
		return
	}
	<-stdoutRead // Wait closes the pipe
	_ = p.command.Wait()
	close(p.done)
}

// PID is the id of the process.
func (p *Process) PID() int { return p.command.Process.Pid }

// Address is where the server listens on the loopback interface, host:port.
func (p *Process) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// DoorAddress is where the server listens at one of several doors: tcp, tls, ws or wss.
func (p *Process) DoorAddress(door string) (string, error) {
	p.awaitReady()
	port, ok := p.log.doorPort(door)
	if !ok {
		return "", fmt.Errorf("the server does not say that it has the door %s; its log ends with:\n%s", door, p.log.Tail())
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), nil
}

// AdminURL is where the server has its admin page.
func (p *Process) AdminURL() (string, error) {
	p.awaitReady()
	url, ok := p.log.adminURL()
	if !ok {
		return "", fmt.Errorf("the server does not say that it has an admin page; its log ends with:\n%s", p.log.Tail())
	}
	return url, nil
}

// awaitReady waits until the log says that the server is ready: standard error may be behind standard output.
func (p *Process) awaitReady() {
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case <-p.log.isReady:
	case <-p.done:
	case <-timer.C:
	}
}

// Log is what the server has logged.
func (p *Process) Log() *Log { return p.log }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process at once. It does not wait for the end.
func (p *Process) Kill() { _ = p.command.Process.Kill() }

// ErrKilled is wrapped by what Stop returns for a server that had to be killed.
var ErrKilled = errors.New("the server did not end by itself")

// ErrInterrupted is wrapped by what Stop returns for a process that the signal which Stop sent has ended, instead of
// telling it to end by itself. Not on Windows.
var ErrInterrupted = errors.New("the server died of the signal that told it to stop")

// Stop asks the server to stop and waits until it has ended. It returns nil if that was with exit code 0. After limit
// the server is killed; the error then wraps ErrKilled.
func (p *Process) Stop(limit time.Duration) error {
	select {
	case <-p.done:
		return fmt.Errorf("the server had ended before it was told to, with exit code %d",
			p.command.ProcessState.ExitCode())
	default:
	}
	if err := Interrupt(p.command.Process); err != nil {
		p.Kill()
		<-p.done
		return fmt.Errorf("the server could not be told to stop (%w): %w", err, ErrKilled)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.Kill()
		<-p.done
		return fmt.Errorf("%w within %v", ErrKilled, limit)
	}
	if diedOfInterrupt(p.command.ProcessState) {
		return ErrInterrupted
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the server ended with exit code %d", code)
	}
	return nil
}
