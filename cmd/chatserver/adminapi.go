package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/admin"
)

// What one answer of the API lists at most.
const (
	maxListedUsers   = 1000
	maxListedRooms   = 500
	maxListedMembers = 1000
)

// Routes is part of admin.Logic.
func (l logic) Routes(do admin.Do) map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/users":          func(w http.ResponseWriter, r *http.Request) { l.listUsers(w, r, do) },
		"GET /api/rooms":          func(w http.ResponseWriter, r *http.Request) { l.listRooms(w, r, do) },
		"GET /api/rooms/{number}": func(w http.ResponseWriter, r *http.Request) { l.showRoom(w, r, do) },
		"POST /api/kick":          func(w http.ResponseWriter, r *http.Request) { l.kick(w, r, do) },
		"POST /api/announce":      func(w http.ResponseWriter, r *http.Request) { l.announce(w, r, do) },
	}
}

func (l logic) listUsers(w http.ResponseWriter, r *http.Request, do admin.Do) {
	var numbers query
	offset := numbers.get(r, "offset", 0, 0, chat.MaxMaxConnections)
	limit := numbers.get(r, "limit", 100, 1, maxListedUsers)
	var answer struct {
		Users []chat.UserInfo `json:"users"`
		Total int             `json:"total"`
	}
	err := numbers.err
	if err == nil {
		err = do(r.Context(), func(*bridge.SendBatch) { answer.Users, answer.Total = l.ListUsers(offset, limit) })
	}
	respond(w, answer, err)
}

func (l logic) listRooms(w http.ResponseWriter, r *http.Request, do admin.Do) {
	var numbers query
	offset := numbers.get(r, "offset", 0, 0, chat.MaxMaxRooms)
	limit := numbers.get(r, "limit", 100, 1, maxListedRooms)
	members := numbers.get(r, "members", 0, 0, maxListedMembers)
	var answer struct {
		Rooms []chat.RoomInfo `json:"rooms"`
		Total int             `json:"total"` // rooms that have members
		Users int             `json:"users"` // logged in, in a room or not
	}
	err := numbers.err
	if err == nil {
		err = do(r.Context(), func(*bridge.SendBatch) {
			answer.Rooms, answer.Total = l.ListRooms(offset, limit, members)
			answer.Users = l.Users()
		})
	}
	respond(w, answer, err)
}

func (l logic) showRoom(w http.ResponseWriter, r *http.Request, do admin.Do) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 32)
	if err != nil {
		respond(w, nil, fmt.Errorf("room %q: %w", r.PathValue("number"), chat.ErrNoSuchRoom))
		return
	}
	var room chat.RoomInfo
	err = doChecked(r.Context(), do, func(*bridge.SendBatch) (err error) {
		room, err = l.FindRoom(int32(number), maxListedMembers)
		return err
	})
	respond(w, room, err)
}

func (l logic) kick(w http.ResponseWriter, r *http.Request, do admin.Do) {
	var request struct {
		User string `json:"user"`
	}
	if !admin.ReadJSON(w, r, &request) {
		return
	}
	err := doChecked(r.Context(), do, func(batch *bridge.SendBatch) error { return l.Kick(request.User, batch) })
	respond(w, map[string]string{"kicked": request.User}, err)
}

func (l logic) announce(w http.ResponseWriter, r *http.Request, do admin.Do) {
	var request struct {
		Text string `json:"text"`
		Room *int32 `json:"room"` // null: everybody who is logged in
	}
	if !admin.ReadJSON(w, r, &request) {
		return
	}
	var receivers int
	err := checkOneLine(request.Text)
	if err == nil {
		err = doChecked(r.Context(), do, func(batch *bridge.SendBatch) (err error) {
			if request.Room == nil {
				receivers, err = l.AnnounceToAll(request.Text, batch)
			} else {
				receivers, err = l.AnnounceToRoom(*request.Room, request.Text, batch)
			}
			return err
		})
	}
	respond(w, map[string]int{"receivers": receivers}, err)
}

// doChecked lets the loop run a task that may fail.
func doChecked(ctx context.Context, do admin.Do, task func(batch *bridge.SendBatch) error) error {
	failure := make(chan error, 1) // the task may still run after do has given up
	if err := do(ctx, func(batch *bridge.SendBatch) { failure <- task(batch) }); err != nil {
		return err
	}
	return <-failure
}

func respond(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		admin.WriteError(w, err, chat.ErrNoSuchRoom, chat.ErrNoSuchUser)
		return
	}
	admin.WriteJSON(w, answer)
}

// query reads numbers of a request's query; err is the first error.
type query struct{ err error }

func (q *query) get(r *http.Request, name string, preset, low, high int) int {
	text := r.URL.Query().Get(name)
	if text == "" {
		return preset
	}
	number, err := strconv.Atoi(text)
	if (err != nil || number < low || number > high) && q.err == nil {
		q.err = fmt.Errorf("%s is %q, allowed is a whole number from %d to %d", name, text, low, high)
	}
	return number
}

// Collector is part of admin.Logic.
func (l logic) Collector(do admin.Do) prometheus.Collector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("chat_"+name, help, labels, nil)
	}
	return &collector{
		logic: l, do: do,
		users:         describe("users", "Users who are logged in."),
		rooms:         describe("rooms", "Rooms that have members."),
		members:       describe("room_members", "Users who are in a room."),
		received:      describe("packets_received_total", "Requests that were handled.", "packet"),
		receivedBytes: describe("bytes_received_total", "Bytes of requests that were handled.", "packet"),
		sent:          describe("packets_sent_total", "Packets that were sent, one a receiver.", "packet"),
		sentBytes:     describe("bytes_sent_total", "Bytes of packets that were sent, one a receiver.", "packet"),
		refused:       describe("requests_refused_total", "Requests that were answered with a refusal.", "result"),
		unknown:       describe("unknown_packets_total", "Packets dropped because their id is no request's."),
		ignored:       describe("ignored_packets_total", "Packets that were not looked at.", "reason"),
		violations:    describe("violations_total", "Connections closed because they broke the protocol.", "reason"),
		announcements: describe("announcements_total", "Announcements of an operator."),
		kicks:         describe("kicks_total", "Users whom an operator has disconnected."),
	}
}

type collector struct {
	logic logic
	do    admin.Do

	users, rooms, members, received, receivedBytes, sent, sentBytes *prometheus.Desc
	refused, unknown, ignored, violations, announcements, kicks     *prometheus.Desc
}

// Describe is part of prometheus.Collector.
func (c *collector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.users, c.rooms, c.members, c.received, c.receivedBytes, c.sent, c.sentBytes,
		c.refused, c.unknown, c.ignored, c.violations, c.announcements, c.kicks} {
		descriptions <- d
	}
}

// collectTime is how long a scrape waits for the loop. Without it there are no metrics of the chat, but those of the
// core, which tell that the loop hangs.
const collectTime = 2 * time.Second

// Collect is part of prometheus.Collector.
func (c *collector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTime)
	defer cancel()
	type seen struct {
		counters              chat.Counters
		users, rooms, members int
	}
	read := make(chan seen, 1) // the loop may still write it after do has given up
	if c.do(ctx, func(*bridge.SendBatch) {
		s := seen{counters: c.logic.Counters(), users: c.logic.Users()}
		s.rooms, s.members = c.logic.Occupancy()
		read <- s
	}) != nil {
		return
	}
	now := <-read
	one := func(d *prometheus.Desc, kind prometheus.ValueType, value int) {
		metrics <- prometheus.MustNewConstMetric(d, kind, float64(value))
	}
	one(c.users, prometheus.GaugeValue, now.users)
	one(c.rooms, prometheus.GaugeValue, now.rooms)
	one(c.members, prometheus.GaugeValue, now.members)
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	counter(c.unknown, now.counters.UnknownPackets)
	counter(c.announcements, now.counters.Announcements)
	counter(c.kicks, now.counters.Kicks)
	for _, kind := range chat.PacketKinds() {
		if kind.IsRequest {
			counter(c.received, now.counters.Packets[kind.ID], kind.Name)
			counter(c.receivedBytes, now.counters.Packets[kind.ID]*uint64(kind.Size), kind.Name)
		} else {
			counter(c.sent, now.counters.Sent[kind.ID], kind.Name)
			counter(c.sentBytes, now.counters.Sent[kind.ID]*uint64(kind.Size), kind.Name)
		}
	}
	for _, result := range chat.ErrorCodes() {
		if result != chat.ResultNone {
			counter(c.refused, now.counters.Refusals[result], result.String())
		}
	}
	for reason, count := range now.counters.IgnoredPackets {
		counter(c.ignored, count, chat.Ignored(reason).String())
	}
	for violation, count := range now.counters.Violations {
		counter(c.violations, count, chat.Violation(violation).String())
	}
}

var _ admin.Logic = logic{}
