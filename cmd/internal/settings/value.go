package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// value is a pflag.Value that knows how TOML writes it. The error of Set says what is allowed, as a noun.
type value interface {
	String() string
	Set(text string) error
	Type() string
	// isText: TOML puts it between quotes.
	isText() bool
}

// Int adds a whole number from low to high. *target has the default.
func (s *Set) Int(target *int, low, high int, setting Setting) {
	s.add(setting, &intValue{target, low, high})
}

type intValue struct {
	target    *int
	low, high int
}

func (v *intValue) String() string { return strconv.Itoa(*v.target) }
func (v *intValue) Type() string   { return "number" }
func (v *intValue) isText() bool   { return false }

func (v *intValue) Set(text string) error {
	number, err := strconv.Atoi(text)
	if err != nil || number < v.low || number > v.high {
		return fmt.Errorf("a whole number from %d to %d", v.low, v.high)
	}
	*v.target = number
	return nil
}

// Duration adds a time from low to high. *target has the default.
func (s *Set) Duration(target *time.Duration, low, high time.Duration, setting Setting) {
	s.add(setting, &durationValue{target, low, high})
}

type durationValue struct {
	target    *time.Duration
	low, high time.Duration
}

// String leaves out what is 0 behind another unit: 1m0s is 1m.
func (v *durationValue) String() string {
	text := v.target.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (v *durationValue) Type() string { return "time" }
func (v *durationValue) isText() bool { return true }

func (v *durationValue) Set(text string) error {
	duration, err := time.ParseDuration(text)
	if err != nil || duration < v.low || duration > v.high {
		return fmt.Errorf("a time from %v to %v, such as 1500ms or 5s", v.low, v.high)
	}
	*v.target = duration
	return nil
}

// Choice adds one of a few words. *target has the default.
func (s *Set) Choice(target *string, words []string, setting Setting) {
	s.Text(target, func(text string) error {
		if slices.Contains(words, text) {
			return nil
		}
		last := len(words) - 1
		return errors.New(strings.Join(words[:last], ", ") + " or " + words[last])
	}, setting)
}

// Text adds any text in UTF-8 that check takes; its error says what is allowed. A nil check takes all. *target has the
// default.
func (s *Set) Text(target *string, check func(text string) error, setting Setting) {
	s.add(setting, &textValue{target, check})
}

type textValue struct {
	target *string
	check  func(string) error
}

func (v *textValue) String() string { return *v.target }
func (v *textValue) Type() string   { return "text" }
func (v *textValue) isText() bool   { return true }

func (v *textValue) Set(text string) error {
	if !utf8.ValidString(text) {
		return errors.New("text in UTF-8")
	}
	if v.check != nil {
		if err := v.check(text); err != nil {
			return err
		}
	}
	*v.target = text
	return nil
}
