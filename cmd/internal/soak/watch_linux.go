package soak

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTicks is the unit of processor times in /proc, a second's part: USER_HZ, which Linux fixes at 100 for programs.
const clockTicks = 100

// readUsage reads what a process uses.
func readUsage(pid int) (usage, error) {
	folder := fmt.Sprintf("/proc/%d/", pid)
	status, err := os.ReadFile(folder + "status")
	if err != nil {
		return usage{}, err
	}
	stat, err := os.ReadFile(folder + "stat")
	if err != nil {
		return usage{}, err
	}
	handles, sockets, err := countHandles(folder + "fd")
	if err != nil {
		return usage{}, err
	}
	u := usage{Available: true, Handles: handles, Sockets: sockets}
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			continue
		}
		number, _ := strconv.ParseInt(string(fields[1]), 10, 64)
		switch string(fields[0]) {
		case "VmRSS:":
			u.Memory = number << 10 // kB
		case "Threads:":
			u.Threads = int(number)
		}
	}
	// The name in parentheses may have spaces; utime and stime are the 12th and 13th field behind it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	for _, field := range fields[11:13] {
		ticks, _ := strconv.ParseInt(string(field), 10, 64)
		u.CPU += time.Duration(ticks) * time.Second / clockTicks
	}
	return u, nil
}

// countHandles counts what a process has open, and how much of that is sockets. What is closed meanwhile may count as no
// socket.
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
