package serverrun

import (
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
)

// Of lines that say the same, so many are logged in a second; of further ones every hundredth. Counters count them all.
const (
	sampleTick  = time.Second
	sampleFirst = 100
	sampleRest  = 100
)

// sampler passes a part of the lines on where there are many that say the same. Lines say the same if they differ in
// numbers only: the lines of a native core have addresses and ports in their text.
type sampler struct {
	zapcore.Core              // where lines go
	decider      zapcore.Core // zap's own sampler, which looks at the text without its numbers
}

// newSampler samples for core, and calls leftOut for each line that is left out.
func newSampler(core zapcore.Core, leftOut func()) zapcore.Core {
	return &sampler{core, zapcore.NewSamplerWithOptions(everything{}, sampleTick, sampleFirst, sampleRest,
		zapcore.SamplerHook(func(_ zapcore.Entry, decision zapcore.SamplingDecision) {
			if decision&zapcore.LogDropped != 0 {
				leftOut()
			}
		}))}
}

// With is part of zapcore.Core.
func (s *sampler) With(fields []zapcore.Field) zapcore.Core {
	return &sampler{s.Core.With(fields), s.decider}
}

// Check is part of zapcore.Core.
func (s *sampler) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !s.Enabled(entry.Level) {
		return checked
	}
	shape := entry
	shape.Message = withoutNumbers(entry.Message)
	if s.decider.Check(shape, nil) == nil {
		return checked
	}
	return checked.AddCore(entry, s.Core)
}

// withoutNumbers is a text with each row of digits and what joins them replaced by one sign.
func withoutNumbers(text string) string {
	var out strings.Builder
	inNumber := false
	for _, r := range text {
		isDigit := r >= '0' && r <= '9'
		if isDigit && !inNumber {
			out.WriteByte('#')
		}
		inNumber = isDigit || inNumber && (r == '.' || r == ':')
		if !inNumber {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// everything is a core that takes every line and writes none.
type everything struct{}

func (everything) Enabled(zapcore.Level) bool                 { return true }
func (e everything) With([]zapcore.Field) zapcore.Core        { return e }
func (everything) Write(zapcore.Entry, []zapcore.Field) error { return nil }
func (everything) Sync() error                                { return nil }
func (e everything) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, e)
}
