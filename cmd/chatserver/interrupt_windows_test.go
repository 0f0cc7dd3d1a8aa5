package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/windows"
)

var kernel32 = windows.NewLazySystemDLL("kernel32.dll")

// underWine reports whether this Windows is Wine.
func underWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// prepareConsole makes a console if the test has none, as in a service: a console event reaches only processes that
// share the console of the one that sends it, and programs that are started here inherit this one's.
func prepareConsole() error {
	if page, _, _ := kernel32.NewProc("GetConsoleCP").Call(); page != 0 || underWine() {
		return nil
	}
	if made, _, err := kernel32.NewProc("AllocConsole").Call(); made == 0 {
		return fmt.Errorf("no console, and none can be made: %w", err)
	}
	return nil
}

var commands atomic.Int64

// prepareForInterrupt gives the process a group of its own, since the Ctrl+Break that stops it must not reach the test,
// or under Wine a name by which it is found.
func prepareForInterrupt(command *exec.Cmd) {
	if underWine() {
		command.Args[0] = fmt.Sprintf("chatserver-test-%d-%d", os.Getpid(), commands.Add(1))
		return
	}
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// interruptProcess sends Ctrl+Break: Ctrl+C is off in a new process group.
func interruptProcess(command *exec.Cmd) error {
	if underWine() {
		return interruptUnderWine(command.Args[0])
	}
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(command.Process.Pid))
}

// interruptUnderWine sends SIGINT, which Wine hands to the program as the console's Ctrl+C: Wine 8 cannot send console
// events without a terminal. Wine's number of a process is not the system's, so the process is looked for by its name.
func interruptUnderWine(name string) error {
	processes, err := os.ReadDir(`Z:\proc`)
	if err != nil {
		return err
	}
	for _, process := range processes {
		line, err := os.ReadFile(`Z:\proc\` + process.Name() + `\cmdline`)
		if err != nil || !strings.HasPrefix(string(line), name+"\x00") {
			continue
		}
		kill, err := os.StartProcess(`Z:\bin\kill`, []string{"kill", "-INT", process.Name()},
			&os.ProcAttr{Files: []*os.File{nil, nil, os.Stderr}})
		if err != nil {
			return err
		}
		return kill.Release() // Wine has no handle of it to wait for
	}
	return errors.New("no process is called " + name)
}
