package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"iocpnetlib/bridge"
	"iocpnetlib/chat"
	"iocpnetlib/cmd/internal/admin"
)

// Who gives up waiting leaves the loop at work: the two share nothing that is not locked (the race detector looks).
func TestRequestsThatAreGivenUp(t *testing.T) {
	server, err := chat.NewServer(chat.DefaultConfig(), nil)
	require.NoError(t, err)
	var loop, requests sync.WaitGroup
	var logicMutex sync.Mutex // stands for the one goroutine of the loop
	do := admin.Do(func(ctx context.Context, task func(batch *bridge.SendBatch)) error {
		done := make(chan struct{})
		loop.Go(func() {
			defer close(done)
			logicMutex.Lock()
			defer logicMutex.Unlock()
			task(&bridge.SendBatch{})
		})
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	for _, handle := range (logic{server}).Routes(do) {
		requests.Go(func() {
			for i := range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%10)*10*time.Microsecond)
				request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
				request.SetPathValue("number", "1")
				handle(httptest.NewRecorder(), request)
				cancel()
			}
		})
	}
	requests.Wait()
	loop.Wait()
}
