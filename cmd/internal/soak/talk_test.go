package soak

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/numberedchat"
)

// notify is what a member hears when name says number.
func notify(name string, number int64) []byte {
	packet := numberedchat.NewNotify()
	copy(packet[numberedchat.NotifyName:], name)
	numberedchat.PutNumber(packet[numberedchat.NotifyNumber:], number)
	return packet
}

// What has to be noticed is noticed: a load that accepts everything would pass every server.
func TestAListenerNoticesWhatIsWrong(t *testing.T) {
	changed := func(at int) []byte {
		packet := notify("m00-001", 2)
		packet[at] ^= 1
		return packet
	}
	for name, packet := range map[string][]byte{
		"one is missing":            notify("m00-001", 3),
		"one comes twice":           notify("m00-001", 1),
		"a changed header":          changed(4),
		"a byte behind the name":    changed(numberedchat.NotifyName + 10),
		"a changed text":            changed(numberedchat.NotifyNumber + numberedchat.Digits + 3),
		"a byte behind the text":    changed(len(numberedchat.NewNotify()) - 1),
		"half of a notify":          notify("m00-001", 2)[:numberedchat.NotifyNumber+1],
		"a stranger's beginning":    notify("f00.000000002", 1),
		"a stranger who has gone":   notify("s00.000000006", 0),
		"nobody":                    notify("", 5),
		"a name without terminator": notify("aaaaaaaaaaaaaaaaaaaaa", 0),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHearing()
			for _, before := range [][]byte{notify("m00-001", 0), notify("m00-001", 1), notify("f00.000000001", 0),
				notify("s00.000000007", 0)} {
				_, err := h.hear(before, 0)
				require.NoError(t, err)
			}
			_, err := h.hear(packet, 0)
			assert.Error(t, err)
		})
	}
}

func TestAListenerWhoComesInTheMiddle(t *testing.T) {
	h := newHearing()
	for number := int64(41); number < 44; number++ {
		got, err := h.hear(notify("m00-001", number), -1)
		require.NoError(t, err)
		assert.Equal(t, number, got.number)
		assert.Equal(t, "m00-001", string(got.name))
	}
	_, err := h.hear(notify("m00-001", 45), -1)
	assert.Error(t, err)
}

func TestARoomNoticesAnotherOrder(t *testing.T) {
	alice, bob := heard{[]byte("a"), 1}, heard{[]byte("b"), 1}
	ab := addToDigest(addToDigest(0, alice), bob)
	ba := addToDigest(addToDigest(0, bob), alice)
	r := &room{members: make([]*member, 2), checkpoints: make(map[int64]*checkpoint)}
	assert.True(t, r.compare(0, ab))
	assert.True(t, r.compare(0, ab))
	assert.Empty(t, r.checkpoints, "everybody has been here")
	assert.True(t, r.compare(8, ab))
	assert.False(t, r.compare(8, ba))
}
