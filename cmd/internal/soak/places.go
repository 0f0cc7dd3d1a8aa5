package soak

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// connections asks the server how many connections it has. Those are among them whose sockets are closed, as long as
// logic has not been told: they keep their places.
func (s *session) connections() (int64, error) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.adminURL+"api/status", nil)
	if err != nil {
		return 0, err
	}
	request.Close = true // no socket of the admin page is to be among those that are counted
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var status struct {
		Connections int64 `json:"connections"`
	}
	return status.Connections, json.NewDecoder(response.Body).Decode(&status)
}

// awaitEmpty waits until no client has a place.
func (s *session) awaitEmpty() {
	for limit := time.Now().Add(patience); ; {
		count, err := s.connections()
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			s.checks.Add("the server's admin page does not tell how many connections there are: %v", err)
			return
		case count == 0:
			return
		case time.Now().After(limit):
			s.checks.Add("the server has %d connections, %v after the last client has gone", count, patience)
			return
		}
		pause(s.ctx, 20*time.Millisecond)
	}
}
