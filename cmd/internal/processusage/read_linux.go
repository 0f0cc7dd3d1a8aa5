package processusage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockTicks is the unit of processor times in /proc, a second's part: USER_HZ, which Linux fixes at 100 for programs.
const clockTicks = 100

// Read reads what a process uses. Counting its handles takes a microsecond or so for each.
func Read(pid int) (Usage, error) {
	u := Usage{Available: true}
	var err error
	if u.Memory, u.Threads, err = readStatus(pid); err != nil {
		return Usage{}, err
	}
	user, system, err := readTicks(pid)
	if err != nil {
		return Usage{}, err
	}
	u.CPU = user + system
	u.Handles, u.Sockets, err = countHandles(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return Usage{}, err
	}
	return u, nil
}

// ReadTimes reads how much processor time a process has used.
func ReadTimes(pid int) (Times, error) {
	t := Times{Available: true}
	var err error
	if t.User, t.System, err = readTicks(pid); err != nil {
		return Times{}, err
	}
	// Every process has a clock of its processor time, whose id is made of the process id: see clock_getcpuclockid(3).
	const scheduled = 2
	var clock unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &clock); err != nil {
		t.Total = t.User + t.System
		return t, nil //nolint:nilerr // what it is made of is known, if less exactly
	}
	t.Total = time.Duration(clock.Nano())
	return t, nil
}

// ReadMemory reads the resident memory of a process in bytes.
func ReadMemory(pid int) (int64, error) {
	memory, _, err := readStatus(pid)
	return memory, err
}

func readStatus(pid int) (memory int64, threads int, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			continue
		}
		number, _ := strconv.ParseInt(string(fields[1]), 10, 64)
		switch string(fields[0]) {
		case "VmRSS:":
			memory = number << 10 // kB
		case "Threads:":
			threads = int(number)
		}
	}
	return memory, threads, nil
}

func readTicks(pid int) (user, system time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The name in parentheses may have spaces; utime and stime are the 12th and 13th field behind it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	ticks := func(field []byte) time.Duration {
		number, _ := strconv.ParseInt(string(field), 10, 64)
		return time.Duration(number) * time.Second / clockTicks
	}
	return ticks(fields[11]), ticks(fields[12]), nil
}

// countHandles counts what a process has open, and how much of that is sockets. What is closed meanwhile may count as
// no socket.
func countHandles(folder string) (handles, sockets int, err error) {
	file, err := os.Open(folder)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	names, err := file.Readdirnames(-1)
	for _, name := range names {
		if target, err := os.Readlink(folder + "/" + name); err == nil && strings.HasPrefix(target, "socket:") {
			sockets++
		}
	}
	return len(names), sockets, err
}
