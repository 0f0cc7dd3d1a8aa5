package main

import (
	"fmt"
	"html"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"iocpnetlib/chat"
)

// picturesVariable names the folder for the pictures of docs/; without it none are made.
const picturesVariable = "IOCPNETLIB_SCREENSHOTS"

// TestPictureOfTheClient has a conversation to look at, and draws the screen as SVG.
func TestPictureOfTheClient(t *testing.T) {
	folder := os.Getenv(picturesVariable)
	if folder == "" {
		t.Skip("only scripts/build.sh screenshots draws it")
	}
	server := startServerOn(t, 0, func(config *chat.Config) { config.MaxRoomUsers = 10 })
	c := startOnTerminal(t, 84, 22, nil, "--addr", server.address, "--user", "앨리스", "--room", "1")
	c.await("entered room 1")
	c.typeKeys("/room add 1 로비\r/room add 2 던전\r/room add 7 trade\r")
	c.await("trade")
	others := []*terminal{
		startOnTerminal(t, 84, 22, nil, "--addr", server.address, "--user", "Bob", "--room", "1", "--plain"),
		startOnTerminal(t, 84, 22, nil, "--addr", server.address, "--user", "철수", "--room", "1", "--plain"),
	}
	for _, other := range others {
		other.await("entered room 1")
	}
	for _, line := range []struct {
		who  *terminal
		text string
	}{
		{c, "안녕하세요! 던전 같이 가실 분?"}, {others[0], "hi Alice, count me in"},
		{others[1], "저도요. 물약 10개 챙겨 갈게요 🧪"}, {c, "좋아요, 5분 뒤에 2번 방에서 만나요."}, {others[0], "see you there"},
	} {
		line.who.typeKeys(line.text + "\r")
		c.await(": " + line.text)
	}
	c.typeKeys("거기서 만")
	c.await("> 거기서 만")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "chatclient.svg"), []byte(c.picture()), 0o644))
}

// The size of a cell of the picture, and the colours of a terminal that says nothing of its own.
const (
	cellWidth, cellHeight = 9, 20
	pictureBackground     = "#14181f"
	pictureForeground     = "#dfe5ee"
)

// picture is the screen as SVG. Each letter has the place of its cell, whatever fonts there are.
func (c *terminal) picture() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	width, height := c.screen.Width(), c.screen.Height()
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="D2Coding, 'Noto Sans Mono CJK KR', monospace" font-size="15">`+"\n",
		(width+2)*cellWidth, (height+1)*cellHeight)
	fmt.Fprintf(&svg, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", pictureBackground)
	for y := range height {
		for x := range width {
			if cell := c.screen.CellAt(x, y); cell != nil {
				writeCell(&svg, cell, (x+1)*cellWidth, y*cellHeight+cellHeight/2)
			}
		}
	}
	at := c.screen.CursorPosition()
	fmt.Fprintf(&svg, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" opacity="0.6"/>`+"\n</svg>\n",
		(at.X+1)*cellWidth, at.Y*cellHeight+cellHeight/2, cellWidth, cellHeight, pictureForeground)
	return svg.String()
}

func writeCell(svg *strings.Builder, cell *uv.Cell, x, y int) {
	foreground, background := hexColour(cell.Style.Fg, pictureForeground), hexColour(cell.Style.Bg, "")
	if cell.Style.Attrs&uv.AttrReverse != 0 {
		foreground, background = pictureBackground, foreground
	}
	if background != "" {
		fmt.Fprintf(svg, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" shape-rendering="crispEdges"/>`, x, y, cell.Width*cellWidth, cellHeight, background)
	}
	if strings.TrimSpace(cell.Content) == "" {
		return
	}
	weight := ""
	if cell.Style.Attrs&uv.AttrBold != 0 {
		weight = ` font-weight="bold"`
	}
	if cell.Style.Attrs&uv.AttrFaint != 0 {
		weight += ` opacity="0.6"`
	}
	fmt.Fprintf(svg, `<text x="%d" y="%d" fill="%s"%s>%s</text>`+"\n", x, y+cellHeight-5, foreground, weight,
		html.EscapeString(cell.Content))
}

// hexColour is a colour of the terminal as SVG writes it.
func hexColour(c color.Color, none string) string {
	if c == nil {
		return none
	}
	if basic, ok := c.(ansi.BasicColor); ok { // brighter than the usual ones, which are hard to read on this background
		return []string{"#3b4252", "#f38b8b", "#8fd694", "#f2d280", "#7fb4ff", "#d9a2f5", "#7fdbe6", "#dfe5ee",
			"#8b95a5", "#ff9d9d", "#a5e8aa", "#ffe19a", "#9cc6ff", "#e6b8ff", "#9becf5", "#ffffff"}[basic%16]
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
