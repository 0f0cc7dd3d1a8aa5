package main

import (
	"hash/fnv"

	"charm.land/lipgloss/v2"
)

// palette are the styles of the screen. What they say is always said in words or signs, too.
type palette struct {
	bar      lipgloss.Style // the header
	calm     lipgloss.Style // a state that is good
	busy     lipgloss.Style // one that takes a moment
	bad      lipgloss.Style
	faint    lipgloss.Style
	current  lipgloss.Style // the room where the user is
	selected lipgloss.Style
	own      lipgloss.Style // the user's own name
	system   lipgloss.Style
	mark     lipgloss.Style // of messages out of sight
	users    []lipgloss.Style
}

// The colours of users, for a dark and a light background: each far enough from the background to be read, and none of
// them the one that says that something is wrong.
var (
	coloursOnDark = []string{"#87d7ff", "#ffd75f", "#d7afff", "#87ffaf", "#ffaf87", "#5fd7d7", "#ff87d7", "#d7d787",
		"#87afff", "#afd75f"}
	coloursOnLight = []string{"#005faf", "#875f00", "#5f00af", "#00703c", "#a04000", "#006f6f", "#8700af", "#5f5f00",
		"#0000af", "#3f6f00"}
)

// newPalette makes the styles for a background. Without colours only bold, faint and reversed text is left.
func newPalette(dark, colours bool) palette {
	plain := lipgloss.NewStyle()
	p := palette{
		bar:      plain.Reverse(true),
		calm:     plain.Bold(true),
		busy:     plain.Bold(true),
		bad:      plain.Bold(true),
		faint:    plain.Faint(true),
		current:  plain.Bold(true),
		selected: plain.Reverse(true),
		own:      plain.Bold(true).Underline(true),
		system:   plain.Faint(true),
		mark:     plain.Bold(true).Reverse(true),
		users:    []lipgloss.Style{plain.Bold(true)},
	}
	if !colours {
		p.calm, p.busy, p.bad = p.calm.Reverse(true), p.busy.Reverse(true), p.bad.Reverse(true)
		return p
	}
	pick := lipgloss.LightDark(dark)
	of := func(light, dark string) lipgloss.Style {
		return plain.Foreground(pick(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	bar := pick(lipgloss.Color("#e4e4e4"), lipgloss.Color("#303030"))
	p.bar = plain.Background(bar).Foreground(pick(lipgloss.Color("#303030"), lipgloss.Color("#d0d0d0")))
	p.calm = of("#007000", "#5fd75f").Background(bar).Bold(true)
	p.busy = of("#875f00", "#ffd75f").Background(bar).Bold(true)
	p.bad = of("#c00000", "#ff6f6f").Bold(true)
	p.faint = of("#767676", "#8a8a8a")
	p.current = of("#007000", "#5fd75f").Bold(true)
	p.own = of("#000000", "#ffffff").Bold(true)
	p.system = of("#767676", "#8a8a8a").Italic(true)
	p.mark = of("#ffffff", "#000000").Background(pick(lipgloss.Color("#875f00"), lipgloss.Color("#ffd75f"))).Bold(true)
	names := coloursOnLight
	if dark {
		names = coloursOnDark
	}
	p.users = p.users[:0]
	for _, name := range names {
		p.users = append(p.users, plain.Foreground(lipgloss.Color(name)).Bold(true))
	}
	return p
}

// user is the style of a user's name: the same whenever and wherever it is seen.
func (p *palette) user(name string) lipgloss.Style {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	return p.users[int(hash.Sum32()%uint32(len(p.users)))]
}
