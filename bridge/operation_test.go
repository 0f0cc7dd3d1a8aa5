package bridge

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOperationsComeBackAsTheyWereAdded(t *testing.T) {
	var batch SendBatch
	batch.Send(7, []byte("one"))
	batch.Broadcast([]ConnectionID{1, 2, 3}, []byte("all"))
	batch.Disconnect(7)
	batch.Broadcast([]ConnectionID{9}, []byte("last"))

	type seen struct {
		receivers  []ConnectionID
		packet     string
		disconnect bool
	}
	var got []seen
	for o := range batch.Operations() {
		got = append(got, seen{o.Receivers, string(o.Packet), o.Disconnect()})
	}
	assert.Equal(t, []seen{
		{[]ConnectionID{7}, "one", false},
		{[]ConnectionID{1, 2, 3}, "all", false},
		{[]ConnectionID{7}, "", true},
		{[]ConnectionID{9}, "last", false},
	}, got)

	for range batch.Operations() {
		break // an early end must not panic
	}
	batch.Reset()
	for range batch.Operations() {
		t.Fatal("an empty batch has no operations")
	}
}
