package chat

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConfigErrorsNameOptionValueAndRange(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"no connections":       {func(c *Config) { c.MaxConnections = 0 }, "option --max-connections is 0, allowed is 1 to 4000000"},
		"too many connections": {func(c *Config) { c.MaxConnections = 4_000_001 }, "option --max-connections is 4000001, allowed is 1 to 4000000"},
		"no users":             {func(c *Config) { c.MaxUsers = 0 }, "option --max-users is 0, allowed is 1 to 1000, the value of --max-connections"},
		"users over connections": {func(c *Config) { c.MaxUsers = 1001 },
			"option --max-users is 1001, allowed is 1 to 1000, the value of --max-connections"},
		"no rooms":       {func(c *Config) { c.MaxRooms = 0 }, "option --max-rooms is 0, allowed is 1 to 1000000"},
		"no room users":  {func(c *Config) { c.MaxRoomUsers = 0 }, "option --max-room-users is 0, allowed is 1 to 1000000"},
		"negative bound": {func(c *Config) { c.MaxUnknownPackets = -1 }, "option --max-unknown-packets is -1, allowed is 0 to 1000000"},
		"room numbers overflow": {func(c *Config) { c.StartRoom, c.MaxRooms = math.MaxInt32-98, 100 },
			"option --start-room is 2147483549, allowed is -2147483648 to 2147483548 with 100 rooms"},
		"room number under i32": {func(c *Config) { c.StartRoom = math.MinInt32 - 1 },
			"option --start-room is -2147483649, allowed is -2147483648 to 2147483548 with 100 rooms"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config := DefaultConfig()
			test.change(&config)
			_, err := NewServer(config, nil)
			require.EqualError(t, err, test.want)
			var option *OptionError
			assert.ErrorAs(t, err, &option)
		})
	}
}

func TestConfigsAtTheLimits(t *testing.T) {
	config := DefaultConfig()
	require.NoError(t, config.Validate())
	config.StartRoom = math.MaxInt32 - 99
	require.NoError(t, config.Validate())
	config.StartRoom = math.MinInt32
	require.NoError(t, config.Validate())
	config.MaxUsers = 1
	config.MaxUnknownPackets = 0
	require.NoError(t, config.Validate())
}

func TestRoomNumbersAtTheEdgesOfInt32(t *testing.T) {
	top := NewRoomManager(math.MaxInt32-9, 10, 1)
	require.NotNil(t, top.RoomByNumber(math.MaxInt32))
	assert.EqualValues(t, math.MaxInt32, top.RoomByNumber(math.MaxInt32).Number())
	assert.NotNil(t, top.RoomByNumber(math.MaxInt32-9))
	assert.Nil(t, top.RoomByNumber(math.MaxInt32-10))
	assert.Nil(t, top.RoomByNumber(math.MinInt32))
	assert.Nil(t, top.RoomByNumber(-1))

	bottom := NewRoomManager(math.MinInt32, 10, 1)
	assert.EqualValues(t, math.MinInt32, bottom.RoomByNumber(math.MinInt32).Number())
	assert.Nil(t, bottom.RoomByNumber(math.MinInt32+10))
	assert.Nil(t, bottom.RoomByNumber(math.MaxInt32))
	assert.Nil(t, bottom.RoomByNumber(0))
}
