package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"

	"iocpnetlib/internal/serverprocess"
)

var (
	createRemote = windows.NewLazySystemDLL("kernel32.dll").NewProc("CreateRemoteThread")
	ctrlRoutine  = windows.NewLazySystemDLL("kernelbase.dll").NewProc("CtrlRoutine")
)

// waysToStop are the ways in which this system asks a server to stop. Both also work under Wine 8 without a terminal.
var waysToStop = []wayToStop{{"Ctrl+C", serverprocess.Interrupt}, {"console close", closeConsole}}

// prepareForStop gives the process a console of its own, without a window: what it is sent reaches nobody else.
func prepareForStop(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
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
