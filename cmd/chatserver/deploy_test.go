package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deployFile is a file of the folder deploy.
func deployFile(name string) string { return filepath.Join("..", "..", "deploy", name) }

func readDeployFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(deployFile(name))
	require.NoError(t, err)
	return string(data)
}

// needProgram skips the test where a program is missing, but not in CI. Nobody needs it on Windows, too.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" && runtime.GOOS != "windows" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("%s is missing", name)
	}
	return path
}

// runTool runs a program that must succeed.
func runTool(t *testing.T, stdin, program string, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Stdin = strings.NewReader(stdin)
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s %s:\n%s", program, strings.Join(arguments, " "), output)
}

// scrape is what /metrics of a server with TLS says after a login and a refusal: a result that no request had is not
// listed, nor is the certificate's end of a server without one.
func scrape(t *testing.T) string {
	t.Helper()
	server := startServer(t, "go", append(doorOptions(t, tlsDoor), "--admin", "127.0.0.1:0")...)
	login(t, server.address(), "Alice")
	dial(t, server.address()).do(loginRequest("Alice"), loginResponse(31))
	client := http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	response, err := client.Get(server.adminURL() + "metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

var metricName = regexp.MustCompile(`\b(?:iocpnetlib|chat|go|process)_[a-z0-9_]+\b`)

// namesIn are the names of metrics that a text has.
func namesIn(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(metricName.FindAllString(text, -1))))
}

// metricsOf are the names of a scrape's time series, and the metrics that they belong to: a histogram's are called as
// it is, with _bucket, _sum and _count behind.
func metricsOf(scrape string) (series map[string]bool, metrics []string) {
	series = make(map[string]bool)
	for line := range strings.Lines(scrape) {
		if words := strings.Fields(line); len(words) > 2 && words[1] == "TYPE" {
			metrics = append(metrics, words[2])
		}
		if !strings.HasPrefix(line, "#") {
			series[line[:strings.IndexAny(line, "{ ")]] = true
		}
	}
	return series, metrics
}

// expressions are all texts that stand in some JSON under one of these names.
func expressions(value any, names ...string) []string {
	var found []string
	switch v := value.(type) {
	case []any:
		for _, each := range v {
			found = append(found, expressions(each, names...)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if text, isText := v[key].(string); isText && slices.Contains(names, key) {
				found = append(found, text)
			}
			found = append(found, expressions(v[key], names...)...)
		}
	}
	return found
}

// What the alerts and the dashboard ask for is there, and the dashboard shows all that is special about the server.
func TestAlertsAndDashboardUseTheMetrics(t *testing.T) {
	series, metrics := metricsOf(scrape(t))
	var dashboard any
	require.NoError(t, json.Unmarshal([]byte(readDeployFile(t, "grafana-dashboard.json")), &dashboard))
	shown := namesIn(strings.Join(expressions(dashboard, "expr", "query"), "\n"))
	asked := namesIn(readDeployFile(t, "alerts.yml"))
	require.NotEmpty(t, shown)
	require.NotEmpty(t, asked)
	for _, name := range slices.Concat(shown, asked) {
		assert.True(t, series[name] || series[name+"_bucket"], "the server has no metric %s", name)
	}
	for _, metric := range metrics {
		if strings.HasPrefix(metric, "iocpnetlib_") || strings.HasPrefix(metric, "chat_") {
			assert.True(t, slices.ContainsFunc(shown, func(name string) bool {
				return name == metric || name == metric+"_bucket"
			}), "the dashboard does not show %s", metric)
		}
	}
}

// Each alert says what it is about and where to read on.
func TestAlertsAreExplained(t *testing.T) {
	rules := readDeployFile(t, "alerts.yml")
	names := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	require.NotEmpty(t, names)
	tests := readDeployFile(t, "alerts_test.yml")
	for _, name := range names {
		assert.Contains(t, rules, "runbook: docs/operations.md#"+strings.ToLower(name[1])+"\n")
		assert.Regexp(t, `alertname: `+name[1]+`\s+exp_alerts: \[\]`, tests, "when it does not fire")
		assert.Regexp(t, `alertname: `+name[1]+`\s+exp_alerts:\s+- exp_labels`, tests, "when it fires")
	}
}

func TestPromtoolAcceptsMetricsAndRules(t *testing.T) {
	promtool := needProgram(t, "promtool")
	runTool(t, scrape(t), promtool, "check", "metrics")
	runTool(t, "", promtool, "check", "rules", deployFile("alerts.yml"))
	runTool(t, "", promtool, "test", "rules", deployFile("alerts_test.yml"))
	runTool(t, "", promtool, "check", "config", deployFile("prometheus.yml"))
}

// unitLine is what a line of the systemd unit says.
func unitLine(t *testing.T, unit, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + `=(.*)$`).FindStringSubmatch(unit)
	require.NotNil(t, found, "the unit has no %s", name)
	return found[1]
}

func TestUnitStartsTheServer(t *testing.T) {
	words := strings.Fields(unitLine(t, readDeployFile(t, "chatserver.service"), "ExecStart"))
	require.Equal(t, program.Name, filepath.Base(words[0]))
	known := []string{"config"} // the file is no setting
	for _, setting := range program.Settings() {
		known = append(known, setting.Name)
	}
	for _, word := range words[1:] {
		if option, isOption := strings.CutPrefix(word, "--"); isOption {
			name, _, _ := strings.Cut(option, "=")
			assert.Contains(t, known, name)
		}
	}
}

func TestExampleConfiguration(t *testing.T) {
	stdout, stderr, code := runToEnd(t, "config", "--config", deployFile("chatserver.toml"))
	require.Equal(t, 0, code, "%s", stderr)
	assert.Contains(t, stdout, "chatserver.toml:")
	// A comment says of each setting that it can change while the server runs, if it can.
	for line := range strings.Lines(readDeployFile(t, "chatserver.toml")) {
		name, value, isSetting := strings.Cut(line, " = ")
		if !isSetting || strings.HasPrefix(line, "#") {
			continue
		}
		for _, setting := range program.Settings() {
			if setting.Name == name {
				assert.Equal(t, setting.Live, strings.HasSuffix(value, "# live\n"), "%s", name)
			}
		}
	}
}

// What an alert calls its runbook is there in both languages: whoever is woken by it must not land at the top of a long
// page.
func TestDeployedAlertsHaveTheirRunbooks(t *testing.T) {
	rules, err := os.ReadFile("../../deploy/alerts.yml")
	require.NoError(t, err)
	names := regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllSubmatch(rules, -1)
	anchors := regexp.MustCompile(`(?m)^ *runbook(?:_url)?: docs/operations\.md#([\w-]+)$`).FindAllSubmatch(rules, -1)
	require.NotEmpty(t, names)
	require.Len(t, anchors, len(names), "each alert has one runbook")
	for _, path := range []string{"../../docs/operations.md", "../../docs/operations.ko.md"} {
		page, err := os.ReadFile(path)
		require.NoError(t, err)
		for i, name := range names {
			// The anchor stands before the heading, so that it is the same in every language.
			section := `(?m)^<a id="` + string(anchors[i][1]) + `"></a>\n\n### Alert: ` + string(name[1]) + `$`
			assert.Regexp(t, section, string(page), "%s", path)
		}
	}
}
