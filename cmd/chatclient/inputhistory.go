package main

// maxHistory bounds the lines that are remembered.
const maxHistory = 200

// inputHistory are the lines that were typed before.
type inputHistory struct {
	lines []string
	at    int    // the line that is shown; len(lines): none, but what is being typed
	draft string // what was being typed before the first step up
}

// add remembers a line. The next step up leads to it.
func (h *inputHistory) add(line string) {
	if n := len(h.lines); n == 0 || h.lines[n-1] != line {
		h.lines = append(h.lines, line)
	}
	if extra := len(h.lines) - maxHistory; extra > 0 {
		h.lines = append([]string(nil), h.lines[extra:]...)
	}
	h.at, h.draft = len(h.lines), ""
}

// up returns the line before, if there is one. Typed is what stands in the input now.
func (h *inputHistory) up(typed string) (string, bool) {
	if h.at == 0 {
		return "", false
	}
	if h.at == len(h.lines) {
		h.draft = typed
	}
	h.at--
	return h.lines[h.at], true
}

// down returns the line after, at last what was being typed.
func (h *inputHistory) down() (string, bool) {
	if h.at >= len(h.lines) {
		return "", false
	}
	h.at++
	if h.at == len(h.lines) {
		return h.draft, true
	}
	return h.lines[h.at], true
}
