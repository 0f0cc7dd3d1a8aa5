package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// ctrlCVariable makes this test binary send Ctrl+C to the console of the process that it names, and end.
const ctrlCVariable = "IOCPNETLIB_TEST_CTRL_C"

var (
	kernel32       = windows.NewLazySystemDLL("kernel32.dll")
	freeConsole    = kernel32.NewProc("FreeConsole")
	attachConsole  = kernel32.NewProc("AttachConsole")
	setCtrlHandler = kernel32.NewProc("SetConsoleCtrlHandler")
	createRemote   = kernel32.NewProc("CreateRemoteThread")
	ctrlRoutine    = windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine")
)

// waysToStop are the ways in which this system asks a server to stop. Both also work under Wine 8 without a terminal.
var waysToStop = []wayToStop{{"Ctrl+C", sendCtrlC}, {"console close", closeConsole}}

// prepareForStop gives the process a console of its own, without a window: what it is sent reaches nobody else.
func prepareForStop(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
}

// sendCtrlC sends Ctrl+C as a console does. Only a process attached to that console can, and one process has
// one console: so another process of this test binary does it.
func sendCtrlC(process *os.Process) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	sender := exec.Command(self)
	sender.Env = append(os.Environ(), ctrlCVariable+"="+strconv.Itoa(process.Pid))
	output, err := sender.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// init is where the sender begins and ends, before any test.
func init() {
	pid := os.Getenv(ctrlCVariable)
	if pid == "" {
		return
	}
	if err := sendCtrlCFromHere(pid); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func sendCtrlCFromHere(pid string) error {
	id, err := strconv.ParseUint(pid, 10, 32)
	if err != nil {
		return err
	}
	freeConsole.Call() // there may be none
	if ok, _, err := attachConsole.Call(uintptr(id)); ok == 0 {
		return fmt.Errorf("AttachConsole: %w", err)
	}
	if ok, _, err := setCtrlHandler.Call(0, 1); ok == 0 { // it reaches the sender too, which ignores it
		return fmt.Errorf("SetConsoleCtrlHandler: %w", err)
	}
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0)
}

// closeConsole tells the process that its console is being closed, in the way that the system does: a thread inside
// it that runs kernelbase's CtrlRoutine. (No call of the system sends CTRL_CLOSE_EVENT.)
func closeConsole(process *os.Process) error {
	const access = windows.PROCESS_CREATE_THREAD | windows.PROCESS_QUERY_INFORMATION | windows.PROCESS_VM_OPERATION |
		windows.PROCESS_VM_WRITE | windows.PROCESS_VM_READ
	handle, err := windows.OpenProcess(access, false, uint32(process.Pid))
	if err != nil {
		return fmt.Errorf("OpenProcess: %w", err)
	}
	defer windows.CloseHandle(handle)
	if err := ctrlRoutine.Find(); err != nil {
		return err
	}
	// System DLLs have one address in all processes.
	thread, _, err := createRemote.Call(uintptr(handle), 0, 0, ctrlRoutine.Addr(), windows.CTRL_CLOSE_EVENT, 0, 0)
	if thread == 0 {
		return fmt.Errorf("CreateRemoteThread: %w", err)
	}
	return windows.CloseHandle(windows.Handle(thread))
}
