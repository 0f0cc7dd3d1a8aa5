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
	api := adminAPI{l, do}
	return map[string]http.HandlerFunc{
		"GET /api/users":          api.listUsers,
		"GET /api/rooms":          api.listRooms,
		"GET /api/rooms/{number}": api.showRoom,
		"POST /api/kick":          api.kick,
		"POST /api/announce":      api.announce,
	}
}

// adminAPI answers what the admin page asks of the chat.
type adminAPI struct {
	logic

	do admin.Do
}

// ask lets the loop answer, and returns the answer. The loop may still be at it when the request has ended: what it makes
// is its own until then.
func ask[T any](ctx context.Context, do admin.Do, task func(batch *bridge.SendBatch) (T, error)) (T, error) {
	type outcome struct {
		answer T
		err    error
	}
	made := make(chan outcome, 1)
	err := do(ctx, func(batch *bridge.SendBatch) {
		answer, err := task(batch)
		made <- outcome{answer, err}
	})
	if err != nil {
		var nothing T
		return nothing, err
	}
	o := <-made
	return o.answer, o.err
}

type userList struct {
	Users []chat.UserInfo `json:"users"`
	Total int             `json:"total"`
}

func (a adminAPI) listUsers(w http.ResponseWriter, r *http.Request) {
	var numbers query
	offset := numbers.get(r, "offset", 0, 0, chat.MaxMaxConnections)
	limit := numbers.get(r, "limit", 100, 1, maxListedUsers)
	if numbers.err != nil {
		respond(w, nil, numbers.err)
		return
	}
	answer, err := ask(r.Context(), a.do, func(*bridge.SendBatch) (list userList, _ error) {
		list.Users, list.Total = a.ListUsers(offset, limit)
		return list, nil
	})
	respond(w, answer, err)
}

type roomList struct {
	Rooms []chat.RoomInfo `json:"rooms"`
	Total int             `json:"total"` // rooms that have members
	Users int             `json:"users"` // logged in, in a room or not
}

func (a adminAPI) listRooms(w http.ResponseWriter, r *http.Request) {
	var numbers query
	offset := numbers.get(r, "offset", 0, 0, chat.MaxMaxRooms)
	limit := numbers.get(r, "limit", 100, 1, maxListedRooms)
	members := numbers.get(r, "members", 0, 0, maxListedMembers)
	if numbers.err != nil {
		respond(w, nil, numbers.err)
		return
	}
	answer, err := ask(r.Context(), a.do, func(*bridge.SendBatch) (list roomList, _ error) {
		list.Rooms, list.Total = a.ListRooms(offset, limit, members)
		list.Users = a.Users()
		return list, nil
	})
	respond(w, answer, err)
}

func (a adminAPI) showRoom(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 32)
	if err != nil {
		respond(w, nil, fmt.Errorf("room %q: %w", r.PathValue("number"), chat.ErrNoSuchRoom))
		return
	}
	room, err := ask(r.Context(), a.do, func(*bridge.SendBatch) (chat.RoomInfo, error) {
		return a.FindRoom(int32(number), maxListedMembers)
	})
	respond(w, room, err)
}

func (a adminAPI) kick(w http.ResponseWriter, r *http.Request) {
	var request struct {
		User string `json:"user"`
	}
	if !admin.ReadJSON(w, r, &request) {
		return
	}
	answer, err := ask(r.Context(), a.do, func(batch *bridge.SendBatch) (map[string]string, error) {
		return map[string]string{"kicked": request.User}, a.Kick(request.User, batch)
	})
	respond(w, answer, err)
}

func (a adminAPI) announce(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Text string `json:"text"`
		Room *int32 `json:"room"` // null: everybody who is logged in
	}
	if !admin.ReadJSON(w, r, &request) {
		return
	}
	if err := checkOneLine(request.Text); err != nil {
		respond(w, nil, fmt.Errorf("the text has to be %w", err))
		return
	}
	answer, err := ask(r.Context(), a.do, func(batch *bridge.SendBatch) (map[string]int, error) {
		announce := a.AnnounceToAll
		if request.Room != nil {
			announce = func(text string, batch *bridge.SendBatch) (int, error) {
				return a.AnnounceToRoom(*request.Room, text, batch)
			}
		}
		receivers, err := announce(request.Text, batch)
		return map[string]int{"receivers": receivers}, err
	})
	respond(w, answer, err)
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
	now, err := ask(ctx, c.do, func(*bridge.SendBatch) (seen, error) {
		s := seen{counters: c.logic.Counters(), users: c.logic.Users()}
		s.rooms, s.members = c.logic.Occupancy()
		return s, nil
	})
	if err != nil {
		return
	}
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
