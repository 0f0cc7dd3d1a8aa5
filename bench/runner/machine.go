package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine is where the figures come from.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Load   string `json:"load_average"` // before the run: what else the machine had to do
}

func thisMachine() machine {
	return machine{cpuModel(readText("/proc/cpuinfo")), runtime.NumCPU(), readText("/proc/sys/kernel/osrelease"),
		runtime.Version(), loadAverage(readText("/proc/loadavg"))}
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, Linux %s, %s; load average before the run: %s", m.CPU, m.Cores, m.Kernel, m.Go,
		m.Load)
}

// readText is the content of a small file without the white space around it; "unknown" if it cannot be read.
func readText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// cpuModel finds the processor's name in the text of /proc/cpuinfo.
func cpuModel(text string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// loadAverage takes the averages over 1, 5 and 15 minutes from the text of /proc/loadavg.
func loadAverage(text string) string {
	fields := strings.Fields(text)
	return strings.Join(fields[:min(3, len(fields))], " ")
}
