package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser starts a headless Chromium, and ends it with the test. The time of every action is bounded.
func browser(t *testing.T) context.Context {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("Chromium is missing")
		}
		t.Skip("Chromium is missing")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, endAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	require.NoError(t, chromedp.Do(ctx)) // starts it; the bound is not the browser's
	bounded, endTime := context.WithTimeout(ctx, 3*patience)
	t.Cleanup(endTime)
	return bounded
}

// screenshot keeps a picture of the page in the folder that IOCPNETLIB_SCREENSHOTS names, if it names one.
func screenshot(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		folder := os.Getenv("IOCPNETLIB_SCREENSHOTS")
		if folder == "" {
			return nil
		}
		picture, err := chromedp.CaptureScreenshot()(ctx, t)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name), picture, 0o644)
	})
}

// look makes the page as large as a screen, light or dark.
func look(width, height int64, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(width, height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			return err
		}))
}

// waitForText waits until an element says something.
func waitForText(selector, text string) chromedp.Action[chromedp.Void] {
	quoted, _ := json.Marshal(text) // a string always can be
	return waitFor(fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%s)", selector, quoted))
}

func waitFor(condition string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](condition, chromedp.WithPollingInterval(50*time.Millisecond))
}

// talk lets a member say something again and again, so that the charts have something to show, and read what it hears.
func (c *client) talk(chats int, period time.Duration) (stop func()) {
	require.NoError(c.t, c.conn.SetDeadline(time.Time{}))
	var goroutines sync.WaitGroup
	done := make(chan struct{})
	goroutines.Go(func() { _, _ = io.Copy(io.Discard, c.conn) })
	goroutines.Go(func() {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_, _ = io.WriteString(c.conn, strings.Repeat(chatRequest("hello"), chats))
			case <-done:
				_ = c.conn.Close() // ends the reading
				return
			}
		}
	})
	return func() {
		close(done)
		goroutines.Wait()
	}
}

// An operator watches the page while people talk, says something to them, and disconnects one.
func TestDashboardInABrowser(t *testing.T) {
	ctx := browser(t)
	server := startServer(t, "auto", "--admin", "127.0.0.1:0", "--max-packet-rate", "0", "--drain", "1m")
	members := map[string]*client{}
	for i, name := range []string{"Alice", "Bob", "철수", "Dana", "Eve"} {
		members[name] = login(t, server.address(), name)
		members[name].send(enterRequest(int32(1 + i/2)))
	}
	eve := members["Eve"]
	stopTalking := eve.talk(5, 20*time.Millisecond)
	var mutex sync.Mutex
	var errors []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		mutex.Lock()
		defer mutex.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			errors = append(errors, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				errors = append(errors, e.Entry.Text)
			}
		}
	}))
	require.NoError(t, chromedp.Do(ctx, look(1280, 1000, "light"), chromedp.Navigate(server.adminURL()),
		waitForText("#state", "ready"), waitForText("#connections", "5"), waitForText("#users", "5"),
		waitForText("#rooms", "Room 2"), waitForText("#rooms", "철수"),
		waitFor(`document.querySelectorAll("#chart-messages polyline").length === 2`),
		waitFor(`parseFloat(document.querySelector("#in").textContent) > 0`)))
	if os.Getenv("IOCPNETLIB_SCREENSHOTS") != "" {
		require.NoError(t, chromedp.Do(ctx, chromedp.Sleep(25*time.Second))) // a chart of some length
	}
	require.NoError(t, chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS(`#rooms li[data-room="1"] summary`)), chromedp.WaitVisible(chromedp.CSS(`button[aria-label="Kick Bob"]`)),
		screenshot("dashboard-light.png"), look(1280, 1000, "dark"), screenshot("dashboard-dark.png"),
		look(390, 844, "dark"), screenshot("dashboard-phone.png")))
	overflows, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
		"document.documentElement.scrollWidth > document.documentElement.clientWidth"))
	require.NoError(t, err)
	assert.False(t, overflows, "the page is wider than a phone")

	require.NoError(t, chromedp.Do(ctx, look(1280, 1000, "light"),
		chromedp.SendKeys(chromedp.CSS("#announce-text"), "점검 <b>5분</b> 전입니다"), chromedp.SendKeys(chromedp.CSS("#announce-room"), "1"),
		chromedp.Click(chromedp.CSS("#announce button")), waitForText("#announced", "2 users heard it.")))
	members["Alice"].expect(enterResponse(0, ""), chatNotify("SERVER", "점검 <b>5분</b> 전입니다"))
	members["Bob"].expect(enterResponse(0, "Alice"), chatNotify("SERVER", "점검 <b>5분</b> 전입니다"))

	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`button[aria-label="Kick Bob"]`)),
		chromedp.WaitVisible(chromedp.CSS("#confirm-yes")), chromedp.Click(chromedp.CSS("#confirm-yes")), waitForText("#kicked", "Bob was disconnected."),
		chromedp.WaitNotPresent(chromedp.CSS(`button[aria-label="Kick Bob"]`))))
	members["Bob"].expectEnd()

	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#reload")), waitForText("#notice", "No setting has changed")))
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#drain")), chromedp.WaitVisible(chromedp.CSS("#confirm-yes")),
		chromedp.Click(chromedp.CSS("#confirm-yes")), waitForText("#state", "draining")))
	stopTalking()
	for _, member := range members {
		_ = member.conn.Close()
	}
	require.Equal(t, 0, server.exitCode(patience), "it ends when all have left")
	require.NoError(t, chromedp.Do(ctx, waitForText("#state", "not reachable")))
	mutex.Lock()
	defer mutex.Unlock()
	for _, text := range errors {
		assert.Contains(t, text, "ERR_", "the page itself has no error; requests fail once the server has gone")
	}
}
