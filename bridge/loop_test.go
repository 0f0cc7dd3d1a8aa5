package bridge

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// scriptedCore is a Core whose Poll and Submit do what a test says.
type scriptedCore struct {
	Core   // the rest must not be called
	poll   func(messages []Message) (int, error)
	submit func(batch *SendBatch) error
	wake   func()
}

func (c *scriptedCore) Poll(messages []Message, wait time.Duration) (int, error) {
	if wait != WaitForever {
		return 0, errors.New("the loop has nothing to do but wait")
	}
	return c.poll(messages)
}

func (c *scriptedCore) WakePoll() {
	if c.wake != nil {
		c.wake()
	}
}

func (c *scriptedCore) Submit(batch *SendBatch) error { return c.submit(batch) }

type handlerFunc func(message *Message, batch *SendBatch)

func (f handlerFunc) HandleMessage(message *Message, batch *SendBatch) { f(message, batch) }

func TestRunHandlesEveryMessageAndSubmitsOncePerTurn(t *testing.T) {
	turns := [][]ConnectionID{{1, 2, 3}, {}, {4}, {100}, {5, 6}}
	var submitted [][]ConnectionID
	core := &scriptedCore{
		poll: func(messages []Message) (int, error) {
			if len(turns) == 0 {
				return 0, ErrStopped
			}
			turn := turns[0]
			turns = turns[1:]
			for i, id := range turn {
				messages[i] = Message{ID: id, Type: MessageRecv}
			}
			return len(turn), nil
		},
		submit: func(batch *SendBatch) error {
			var ids []ConnectionID
			for o := range batch.Operations() {
				ids = append(ids, o.Receivers...)
			}
			submitted = append(submitted, ids)
			return nil
		},
	}
	answer := handlerFunc(func(message *Message, batch *SendBatch) {
		if message.ID < 100 { // 100 gets no answer: nothing to submit
			batch.Send(message.ID, []byte("x"))
		}
	})
	require.NoError(t, Run(context.Background(), core, answer))
	assert.Equal(t, [][]ConnectionID{{1, 2, 3}, {4}, {5, 6}}, submitted)
}

func TestRunSubmitsAFullBatchBeforeTheTurnEnds(t *testing.T) {
	var lengths []int
	polls := 0
	core := &scriptedCore{
		poll: func(messages []Message) (int, error) {
			polls++
			if polls > 1 {
				return 0, ErrStopped
			}
			return 3, nil
		},
		submit: func(batch *SendBatch) error {
			lengths = append(lengths, batch.Len())
			return nil
		},
	}
	handled := 0
	answer := handlerFunc(func(_ *Message, batch *SendBatch) {
		handled++
		if handled < 3 {
			batch.Send(1, make([]byte, batchFullPayload/2))
			return
		}
		batch.Send(1, []byte("x"))
	})
	require.NoError(t, Run(context.Background(), core, answer))
	assert.Equal(t, []int{2, 1}, lengths)
}

func TestRunEndsWithTheErrorOfTheCore(t *testing.T) {
	broken := errors.New("broken")
	one := func([]Message) (int, error) { return 1, nil }
	answer := handlerFunc(func(_ *Message, batch *SendBatch) { batch.Send(1, []byte("x")) })

	err := Run(context.Background(), &scriptedCore{poll: func([]Message) (int, error) { return 0, broken }}, answer)
	assert.ErrorIs(t, err, broken)

	core := &scriptedCore{poll: one, submit: func(*SendBatch) error { return broken }}
	assert.ErrorIs(t, Run(context.Background(), core, answer), broken)

	core.submit = func(*SendBatch) error { return ErrStopped }
	assert.NoError(t, Run(context.Background(), core, answer), "the core was stopped during the turn")
}

func TestRunEndsBetweenTurnsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	enough := errors.New("enough")
	submits := 0
	core := &scriptedCore{
		poll:   func([]Message) (int, error) { return 2, nil },
		submit: func(*SendBatch) error { submits++; return nil },
	}
	handled := 0
	err := Run(ctx, core, handlerFunc(func(_ *Message, batch *SendBatch) {
		handled++
		batch.Send(1, []byte("x"))
		if handled == 3 {
			cancel(enough)
		}
	}))
	assert.ErrorIs(t, err, enough)
	assert.Equal(t, 4, handled, "the turn is finished")
	assert.Equal(t, 2, submits, "and its answers are submitted")
}

// While connections are served, tasks run on the loop, one after another, and what they send is sent.
func TestDo(t *testing.T) {
	onEachCore(t, func(t *testing.T, s *subject) {
		s.start(testConfig())
		handled, id := 0, ConnectionID(0) // the loop's
		loop := NewLoop(s.core, handlerFunc(func(message *Message, batch *SendBatch) {
			handled++
			id = message.ID
			if message.Type == MessageRecv {
				batch.Send(message.ID, message.Data)
			}
		}))
		s.isPolled.Store(true)
		ended := make(chan error, 1)
		go func() { ended <- loop.Run(context.Background()) }()
		c := s.dial()
		c.write(packetOf(1, nil))
		c.expect(packetOf(1, nil))
		var tasks errgroup.Group
		for range 200 { // more than may wait
			tasks.Go(func() error {
				return loop.Do(t.Context(), func(batch *SendBatch) { handled++ })
			})
		}
		require.NoError(t, tasks.Wait())
		seen := 0
		require.NoError(t, loop.Do(t.Context(), func(batch *SendBatch) {
			seen = handled
			batch.Send(id, packetOf(2, nil))
		}))
		require.Equal(t, 202, seen)
		c.expect(packetOf(2, nil))
		require.Equal(t, uint64(2), loop.Times().Messages())
		turns, sum := loop.Times().Turns.Read()
		require.Positive(t, sum)
		count := uint64(0)
		for _, n := range turns {
			count += n
		}
		require.LessOrEqual(t, count, uint64(2), "turns without messages do not count")
		require.NotZero(t, count)

		require.NoError(t, s.core.BeginStop())
		require.NoError(t, <-ended)
		require.ErrorIs(t, loop.Do(t.Context(), func(*SendBatch) { t.Error("it has ended") }), ErrLoopEnded)
	})
}

func TestDoEndsWithItsContext(t *testing.T) {
	core := &scriptedCore{}
	loop := NewLoop(core, handlerFunc(func(*Message, *SendBatch) {}))
	ctx, cancel := context.WithCancelCause(context.Background())
	enough := errors.New("enough")
	cancel(enough)
	for range maxTasks + 1 { // nobody runs them: there is room at first, and then none
		require.ErrorIs(t, loop.Do(ctx, func(*SendBatch) {}), enough)
		require.LessOrEqual(t, loop.Waiting(), maxTasks)
	}
	require.NotZero(t, loop.Waiting())
}

func TestTimeHistogram(t *testing.T) {
	var h TimeHistogram
	for _, d := range []time.Duration{-1, 0, 255, 256, 511, 512, time.Millisecond, time.Second, time.Minute} {
		h.add(d)
	}
	counts, sum := h.Read()
	require.Equal(t, uint64(3), counts[0])
	require.Equal(t, uint64(2), counts[1])
	require.Equal(t, uint64(1), counts[2])
	require.Equal(t, uint64(1), counts[TimeBuckets-1], "a minute")
	require.Equal(t, 255+256+511+512+time.Millisecond+time.Second+time.Minute, sum)
	within := uint64(0)
	for i := range TimeBuckets - 1 {
		if TimeBound(i) > time.Millisecond {
			break
		}
		within += counts[i]
	}
	require.Equal(t, uint64(6), within)
}

// A task that comes when the loop ends touches no core that may be closed by then.
func TestDoAtTheEndOfTheLoop(t *testing.T) {
	for range 200 {
		closed := false
		var mutex sync.Mutex
		core := &scriptedCore{poll: func([]Message) (int, error) { return 0, ErrStopped }, wake: func() {
			mutex.Lock()
			defer mutex.Unlock()
			assert.False(t, closed)
		}}
		loop := NewLoop(core, handlerFunc(func(*Message, *SendBatch) {}))
		var tasks sync.WaitGroup
		for range 4 {
			tasks.Go(func() {
				assert.ErrorIs(t, loop.Do(t.Context(), func(*SendBatch) {}), ErrLoopEnded)
			})
		}
		require.NoError(t, loop.Run(t.Context()))
		mutex.Lock()
		closed = true
		mutex.Unlock()
		tasks.Wait()
	}
}
