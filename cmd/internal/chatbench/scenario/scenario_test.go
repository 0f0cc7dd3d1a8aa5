package scenario

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The scenarios that come with the project are right, and named after their files.
func TestTheExamples(t *testing.T) {
	files, err := filepath.Glob("../../../../bench/scenarios/*.toml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		s, err := Read(file)
		require.NoError(t, err)
		assert.NoError(t, s.Check(), file)
		assert.Equal(t, strings.TrimSuffix(filepath.Base(file), ".toml"), s.Name)
	}
}

func TestDefaultsAndValues(t *testing.T) {
	s, err := Parse([]byte("name = \"x\"\nworkload = \"echo\"\nconnections = 3\nrate = 12.5\nduration = \"1500ms\""))
	require.NoError(t, err)
	require.NoError(t, s.Check())
	assert.Equal(t, 64, s.Size)
	assert.Equal(t, time.Second, s.Warmup.Duration)
	assert.Equal(t, 1500*time.Millisecond, s.Duration.Duration)
	assert.True(t, s.OpenLoop())
	assert.Equal(t, 3, s.Clients())
}

// Whatever is wrong is told with its key, and with its line where the file itself is wrong.
func TestWhatIsWrongIsNamed(t *testing.T) {
	echo := "name = \"x\"\nworkload = \"echo\"\nconnections = 1\nin_flight = 1\n"
	room := "name = \"x\"\nworkload = \"room\"\nrooms = 1\nmembers = 1\nin_flight = 1\n"
	mixed := "name = \"x\"\nworkload = \"mixed\"\nrooms = 1\nmembers = 1\nrate = 1\n"
	for text, want := range map[string]string{
		"name = \"x\"\n\nconections = 1":                              `:3: there is no key "conections"`,
		"name = \"x\"\nconnections = \"many\"":                        `:2: `,
		"name = \"x\"\nwarmup = \"soon\"":                             `:2: `,
		"name =":                                                      `:1: `,
		"workload = \"echo\"":                                         "name is missing",
		"name = \"x\"":                                                "workload is missing",
		"name = \"x\"\nworkload = \"ehco\"":                           `workload is "ehco"`,
		"name = \"x\"\nworkload = \"echo\"\nin_flight = 1":            "connections is 0, allowed is 1 to 100000",
		"name = \"x\"\nworkload = \"echo\"\nconnections = 1":          "in_flight is 0, allowed is 1 to 10000",
		echo + "rate = -1":                                            "rate is -1",
		echo + "rate = nan":                                           "rate is NaN",
		echo + "size = 12":                                            "size is 12, allowed is 13 to 65535",
		strings.Replace(echo, "in_flight = 1", "in_flight = 9999", 1): "in_flight × size is 639936 bytes",
		echo + "duration = \"1ms\"":                                   "duration is 1ms",
		echo + "warmup = \"-1s\"":                                     "warmup is -1s",
		room + "first_room = 3000000000":                              "first_room is 3e+09",
		strings.Replace(room, "members = 1", "members = 10000", 1):    "members is 10000",
		strings.Replace(strings.Replace(room, "members = 1", "members = 5000", 1), "rooms = 1", "rooms = 5000", 1): "rooms × members is 25000000",
		mixed + "move_share = 1.5":                                          "move_share is 1.5",
		mixed + "move_share = 0.8\nreconnect_share = 0.8":                   "move_share + reconnect_share is 1.6",
		strings.Replace(mixed, "rate = 1", "rate = 0", 1):                   "rate is 0, allowed is 0.001",
		"name = \"x\"\nworkload = \"idle\"\nconnections = 5\nin_flight = 2": "in_flight is 2, allowed is 0 to 1",
	} {
		s, err := Parse([]byte(text))
		if err == nil {
			err = s.Check()
		}
		assert.ErrorContains(t, err, want, text)
	}
}
