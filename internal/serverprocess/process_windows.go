package serverprocess

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// ctrlCVariable makes a program with this package send Ctrl+C to the console of the process that it names, and end.
const ctrlCVariable = "IOCPNETLIB_SEND_CTRL_C"

var (
	kernel32       = windows.NewLazySystemDLL("kernel32.dll")
	freeConsole    = kernel32.NewProc("FreeConsole")
	attachConsole  = kernel32.NewProc("AttachConsole")
	setCtrlHandler = kernel32.NewProc("SetConsoleCtrlHandler")
)

// prepare gives the process a console of its own, without a window: what it is sent reaches nobody else.
func prepare(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW}
}

// lockThread: only Linux needs it.
func lockThread() (release func()) { return func() {} }

// Interrupt sends Ctrl+C to a process that has a console of its own, as that console does. Only a process attached to that console can, and one process has one
// console: so another process of this program does it.
func Interrupt(process *os.Process) error {
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

// diedOfInterrupt: a process that Ctrl+C ends has an exit code for it.
func diedOfInterrupt(*os.ProcessState) bool { return false }

// init is where the sender begins and ends, before main.
func init() {
	pid := os.Getenv(ctrlCVariable)
	if pid == "" {
		return
	}
	if err := sendCtrlC(pid); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func sendCtrlC(pid string) error {
	id, err := strconv.ParseUint(pid, 10, 32)
	if err != nil {
		return err
	}
	_, _, _ = freeConsole.Call() // there may be none
	if ok, _, err := attachConsole.Call(uintptr(id)); ok == 0 {
		return fmt.Errorf("AttachConsole: %w", err)
	}
	if ok, _, err := setCtrlHandler.Call(0, 1); ok == 0 { // it reaches the sender too, which ignores it
		return fmt.Errorf("SetConsoleCtrlHandler: %w", err)
	}
	return windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0)
}
