package serverwatch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// answerTime bounds the time in which perf has to answer.
const answerTime = 10 * time.Second

// countedEvent is every entry into the system.
const countedEvent = "raw_syscalls:sys_enter"

// syscallCounter is a perf that counts the system calls of a process and of the threads that it starts.
type syscallCounter struct {
	command  *exec.Cmd
	output   bytes.Buffer
	commands *os.File // to perf
	acks     *os.File // from perf
	reader   *bufio.Reader
}

// startSyscallCounter starts perf, which counts nothing yet. Its first answer says that it has found every thread.
func startSyscallCounter(pid int) (*syscallCounter, error) {
	toPerf, commands, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer toPerf.Close()
	acks, fromPerf, err := os.Pipe()
	if err != nil {
		_ = commands.Close()
		return nil, err
	}
	defer fromPerf.Close()
	c := &syscallCounter{commands: commands, acks: acks, reader: bufio.NewReader(acks)}
	c.command = exec.Command("perf", "stat", "-x", ",", "-e", countedEvent, "-D", "-1", "--control",
		"fd:3,4", "-p", strconv.Itoa(pid))
	c.command.ExtraFiles = []*os.File{toPerf, fromPerf}
	c.command.Stdout, c.command.Stderr = &c.output, &c.output
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl+C is for the caller
	if err := c.command.Start(); err != nil {
		_ = commands.Close()
		_ = acks.Close()
		return nil, err
	}
	if err := c.tell("ping"); err != nil {
		_, stopped := c.stop()
		return nil, errors.Join(err, stopped)
	}
	return c, nil
}

// tell sends perf a command and waits until it has obeyed.
func (c *syscallCounter) tell(command string) error {
	if _, err := fmt.Fprintln(c.commands, command); err != nil {
		return fmt.Errorf("perf: %w", err)
	}
	_ = c.acks.SetReadDeadline(time.Now().Add(answerTime))
	answer, err := c.reader.ReadString('\n')
	if err == nil && strings.Trim(answer, "\x00\n") != "ack" {
		err = fmt.Errorf("it answers %q", answer)
	}
	if err != nil {
		return fmt.Errorf("perf does not %s: %w", command, err)
	}
	return nil
}

func (c *syscallCounter) enable() error { return c.tell("enable") }

// stop ends perf and returns what it has counted while it was enabled.
func (c *syscallCounter) stop() (int64, error) {
	failed := c.tell("disable")
	_ = c.command.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(answerTime, func() { _ = c.command.Process.Kill() })
	_ = c.command.Wait()
	kill.Stop()
	_ = c.commands.Close()
	_ = c.acks.Close()
	for line := range strings.Lines(c.output.String()) { // "136148,,raw_syscalls:sys_enter,1138242317,100.00,,"
		fields := strings.Split(line, ",")
		if len(fields) < 3 || fields[2] != countedEvent {
			continue
		}
		if calls, err := strconv.ParseInt(fields[0], 10, 64); err == nil && failed == nil {
			return calls, nil
		}
	}
	return -1, errors.Join(failed, fmt.Errorf("perf said %q", c.output.String()))
}
