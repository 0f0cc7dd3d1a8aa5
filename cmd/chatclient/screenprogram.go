package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	tea "charm.land/bubbletea/v2"
)

// maxTold bounds the events that are drawn at once.
const maxTold = 64

// runScreen is the full screen, for a person.
func runScreen(options options, keyboard, display *os.File, stderr io.Writer) int {
	// A signal that would end the program would leave the terminal as it is for the full screen.
	signals, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer release()
	file, fileErr := usualRoomFile()
	link := newLink(linkConfig{
		address:     options.address,
		wishes:      wishes{options.login, options.room},
		reconnects:  !options.noReconnect,
		pauses:      usualBackoff,
		loginPauses: usualLoginPauses,
		answerTime:  answerTime,
	})
	screen := newScreen(options.address, link.requests, file, os.Getenv("NO_COLOR") == "")
	if fileErr != nil {
		screen.say(fromTrouble, fileErr.Error())
	}
	// The signals are taken above. A panic of the screen ends the program, after the terminal was given back.
	program := tea.NewProgram(screen, tea.WithInput(keyboard), tea.WithOutput(display), tea.WithoutSignalHandler())
	forget := context.AfterFunc(signals, func() { program.Send(interrupted{}) })
	defer forget()

	ctx, stop := context.WithCancel(context.Background())
	linkEnded, passedOn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(linkEnded)
		link.run(ctx)
	}()
	go func() {
		defer close(passedOn)
		passOn(link.events, program)
	}()
	_, err := program.Run()
	stop()
	<-linkEnded
	<-passedOn
	if err != nil {
		fmt.Fprintf(stderr, "chatclient: %v\n", err)
		return exitError
	}
	return screen.code
}

// passOn gives the screen what the link tells, many events at once if they come fast: the screen is drawn after each.
func passOn(events <-chan linkEvent, program *tea.Program) {
	for event := range events {
		batch := linkEvents{event}
		for len(batch) < maxTold {
			select {
			case more, open := <-events:
				if open {
					batch = append(batch, more)
					continue
				}
			default:
			}
			break
		}
		program.Send(batch)
	}
}
