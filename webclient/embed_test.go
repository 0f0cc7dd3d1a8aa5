package webclient

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testConfig = Config{FirstRoom: 1, Rooms: 30, Announcer: `SERVER "</script>`}

// header is one line of a request's head.
type header struct{ name, value string }

func ask(method, path string, headers ...header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, nil)
	for _, h := range headers {
		request.Header.Set(h.name, h.value)
	}
	recorder := httptest.NewRecorder()
	Handler(testConfig).ServeHTTP(recorder, request)
	return recorder
}

func TestFiles(t *testing.T) {
	for path, want := range map[string]struct{ contentType, part string }{
		"/":            {"text/html; charset=utf-8", "<!doctype html>"},
		"/?room=1":     {"text/html; charset=utf-8", "<!doctype html>"},
		"/page.js":     {"text/javascript; charset=utf-8", "import "},
		"/protocol.js": {"text/javascript; charset=utf-8", "ROOM_CHAT_NOTIFY"},
		"/style.css":   {"text/css; charset=utf-8", ":root"},
		"/icon.svg":    {"image/svg+xml", "<svg"},
		"/config.json": {"application/json; charset=utf-8", `"rooms":30`},
	} {
		answer := ask(http.MethodGet, path)
		assert.Equal(t, http.StatusOK, answer.Code, path)
		assert.Equal(t, want.contentType, answer.Header().Get("Content-Type"), path)
		assert.Contains(t, answer.Body.String(), want.part, path)
		head := ask(http.MethodHead, path)
		assert.Equal(t, http.StatusOK, head.Code, path)
		assert.Empty(t, head.Body.String(), path)
		assert.Equal(t, answer.Header(), head.Header(), path)
	}
}

func TestConfig(t *testing.T) {
	content := ask(http.MethodGet, "/config.json").Body.String()
	assert.JSONEq(t, `{"firstRoom":1,"rooms":30,"announcer":"SERVER \"</script>"}`, content)
}

func TestWhatIsNotServed(t *testing.T) {
	for _, path := range []string{"/index.html", "/embed.go", "/package.json", "/tests", "/tests/",
		"/node_modules/ws/index.js", "/.gitignore", "//", "/./", "/../embed.go", "/page.js/", "/Page.js", "/ws", "/config", "/%2e%2e/embed.go"} {
		answer := ask(http.MethodGet, path)
		assert.Equal(t, http.StatusNotFound, answer.Code, path)
		assert.Equal(t, "404 page not found\n", answer.Body.String(), path)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
		answer := ask(method, "/")
		assert.Equal(t, http.StatusMethodNotAllowed, answer.Code, method)
		assert.Equal(t, "GET, HEAD", answer.Header().Get("Allow"))
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	trusted := header{"Sec-Fetch-Site", "none"} // as a browser says that the way is secure
	for name, answer := range map[string]*httptest.ResponseRecorder{
		"page":    ask(http.MethodGet, "/", trusted),
		"script":  ask(http.MethodGet, "/page.js", trusted),
		"config":  ask(http.MethodGet, "/config.json", trusted),
		"no file": ask(http.MethodGet, "/nothing", trusted),
		"no way":  ask(http.MethodPost, "/", trusted),
		"range":   ask(http.MethodGet, "/", trusted, header{"Range", "bytes=9999999-"}),
	} {
		head := answer.Header()
		assert.Equal(t, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'", head.Get("Content-Security-Policy"), name)
		assert.Equal(t, "nosniff", head.Get("X-Content-Type-Options"), name)
		assert.Equal(t, "no-referrer", head.Get("Referrer-Policy"), name)
		assert.Equal(t, "same-origin", head.Get("Cross-Origin-Opener-Policy"), name)
		assert.Equal(t, "no-cache", head.Get("Cache-Control"), name)
	}
}

// No request makes more of a file than there is.
func TestRangesAreIgnored(t *testing.T) {
	whole := ask(http.MethodGet, "/page.js")
	assert.Equal(t, "none", whole.Header().Get("Accept-Ranges"))
	for _, ranges := range []string{"bytes=0-0", "bytes=-1", "bytes=9999999-", "bytes=0-0" + strings.Repeat(",0-0", 1199), "nothing"} {
		for _, ifRange := range []string{"", whole.Header().Get("ETag")} {
			answer := ask(http.MethodGet, "/page.js", header{"Range", ranges}, header{"If-Range", ifRange})
			assert.Equal(t, http.StatusOK, answer.Code, "%.20s", ranges)
			assert.Equal(t, whole.Header(), answer.Header(), "%.20s", ranges)
			assert.Equal(t, whole.Body.String(), answer.Body.String(), "%.20s", ranges)
		}
	}
}

// Over plain HTTP from elsewhere a browser would complain of this policy, and ignore it.
func TestOpenerPolicyOnlyWhereItHolds(t *testing.T) {
	assert.NotContains(t, ask(http.MethodGet, "/").Header(), "Cross-Origin-Opener-Policy")
}

// A browser asks each time, and gets a file only if it is another one.
func TestRevalidation(t *testing.T) {
	tags := map[string]string{}
	for _, path := range []string{"/", "/page.js", "/client.js", "/config.json"} {
		tag := ask(http.MethodGet, path).Header().Get("ETag")
		assert.Regexp(t, `^"[\w-]{22}"$`, tag)
		assert.NotContains(t, tags, tag)
		tags[tag] = path
		same := ask(http.MethodGet, path, header{"If-None-Match", tag})
		assert.Equal(t, http.StatusNotModified, same.Code, path)
		assert.Empty(t, same.Body.String())
		assert.NotEmpty(t, same.Header().Get("Content-Security-Policy"))
		other := ask(http.MethodGet, path, header{"If-None-Match", `"AAAAAAAAAAAAAAAAAAAAAA"`})
		assert.Equal(t, http.StatusOK, other.Code, path)
	}
	recorder := httptest.NewRecorder()
	Handler(Config{FirstRoom: 2}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/config.json", nil))
	assert.NotContains(t, tags, recorder.Header().Get("ETag"), "other settings are another file")
}

// Whatever a file refers to is served, and every script of the folder belongs to it.
func TestFilesAreComplete(t *testing.T) {
	references := regexp.MustCompile(`(?:from|src=|href=|fetch\()\s*"(?:\./)?([^"]+)"`)
	scripts, err := filepath.Glob("*.js")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, name := range append(scripts, "index.html") {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, ".js") {
			assert.Equal(t, string(content), ask(http.MethodGet, "/"+name).Body.String(), name)
		}
		for _, match := range references.FindAllStringSubmatch(string(content), -1) {
			assert.Equal(t, http.StatusOK, ask(http.MethodGet, "/"+match[1]).Code, "%s refers to %s", name, match[1])
		}
	}
}

// What the policy would not let through is not in the page either.
func TestNothingInline(t *testing.T) {
	content, err := os.ReadFile(indexName)
	require.NoError(t, err)
	page := string(content)
	assert.NotRegexp(t, `<style|\sstyle=|\son\w+=|javascript:|<script(?:[^>]*)>[^<]`, page)
	scripts, err := filepath.Glob("*.js")
	require.NoError(t, err)
	for _, name := range scripts {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`,
			string(content), name)
	}
}
