package serverrun

import (
	"os"
	"strings"

	"go.uber.org/zap"

	"iocpnetlib/cmd/internal/settings"
)

// warnOfIneffective tells at the start of what was set and does nothing.
func warnOfIneffective(c *configuration, logger *zap.Logger) {
	if unknown := c.set.UnknownVariables(os.Environ()); len(unknown) > 0 {
		logger.Warn("environment variables are named like settings, and are none", zap.Strings("variables", unknown))
	}
	for _, ineffective := range c.options.doors.ineffective(c.set) {
		logger.Warn(ineffective.setting.Name+" has no effect: "+ineffective.reason,
			zap.String("source", ineffective.setting.Source().String()))
	}
}

type ineffectiveSetting struct {
	setting *settings.Setting
	reason  string
}

// ineffective are the settings of doors that were set, for doors that are not open.
func (d *doorOptions) ineffective(set *settings.Set) []ineffectiveSetting {
	hasTLS, hasWebSocket := d.has()
	var all []ineffectiveSetting
	for _, setting := range set.All() {
		reason := ""
		switch name := setting.Name; {
		case setting.Source().IsDefault() || strings.HasSuffix(name, "-port"):
		case strings.HasPrefix(name, "tls-") && !hasTLS:
			reason = "neither tls-port nor wss-port is open"
		case name == "tls-alpn" && d.tlsPort == noPort:
			reason = "tls-port is not open"
		case name == "tls-client-cert" && d.clientCA == "":
			reason = "there is no tls-client-ca"
		case strings.HasPrefix(name, "ws-") && !hasWebSocket:
			reason = "neither ws-port nor wss-port is open"
		}
		if reason != "" {
			all = append(all, ineffectiveSetting{setting, reason})
		}
	}
	return all
}
