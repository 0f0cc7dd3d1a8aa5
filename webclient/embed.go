// Package webclient is the chat in a browser: the files of its page, and the handler that serves them. The page speaks
// the server's protocol over the WebSocket at /ws of the same host.
package webclient

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"time"
)

//go:embed index.html style.css icon.svg
//go:embed client.js composer.js connection.js connectionbar.js dom.js errors.js events.js language.js login.js messages.js
//go:embed page.js places.js protocol.js rooms.js serverconfig.js texts.js visit.js watch.js
var files embed.FS

const indexName = "index.html"

// Config is what the page has to know of its server. It is public: whoever loads the page can read it.
type Config struct {
	FirstRoom int    // number of the first room
	Rooms     int    // how many there are
	Announcer string // user id of announcements
}

// contentTypes do not depend on what the computer that serves them has installed.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".json": "application/json; charset=utf-8",
}

const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// document is what one path answers.
type document struct {
	content     []byte
	contentType string
	etag        string
}

func newDocument(name string, content []byte) document {
	hash := sha256.Sum256(content)
	return document{
		content:     content,
		contentType: contentTypes[path.Ext(name)],
		etag:        `"` + base64.RawURLEncoding.EncodeToString(hash[:16]) + `"`,
	}
}

// Handler serves the page at / and its files beside it. All else is not found.
func Handler(config Config) http.Handler {
	documents := map[string]document{}
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, entry := range entries {
		content, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(err) // as above
		}
		where := "/" + entry.Name()
		if entry.Name() == indexName {
			where = "/"
		}
		documents[where] = newDocument(entry.Name(), content)
	}
	documents["/config.json"] = newDocument("config.json", config.encode())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), r.Header)
		found, ok := documents[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, fmt.Sprintf("there is no %s here", r.Method), http.StatusMethodNotAllowed)
		default:
			w.Header().Set("Content-Type", found.contentType)
			w.Header().Set("ETag", found.etag)
			http.ServeContent(wholeOnly{w}, withoutRange(r), "", time.Time{}, bytes.NewReader(found.content))
		}
	})
}

// withoutRange is the request for all of a file. The files are small, and an answer with a thousand ranges of one is not.
func withoutRange(r *http.Request) *http.Request {
	if r.Header.Get("Range") == "" {
		return r
	}
	whole := *r
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	return &whole
}

// wholeOnly says that there are no ranges, where http.ServeContent would say that there are.
type wholeOnly struct{ http.ResponseWriter }

func (w wholeOnly) WriteHeader(status int) {
	w.Header().Set("Accept-Ranges", "none")
	w.ResponseWriter.WriteHeader(status)
}

func (c Config) encode() []byte {
	content, err := json.Marshal(map[string]any{"firstRoom": c.FirstRoom, "rooms": c.Rooms, "announcer": c.Announcer})
	if err != nil {
		panic(err) // numbers and a text can always be encoded
	}
	return content
}

// secure adds the headers that keep the page to itself, and let browsers ask each time whether a file has changed: they
// see those of a new version at once, and all of one version.
func secure(header, request http.Header) {
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	// A browser that comes over plain HTTP from elsewhere would ignore this, and complain of it at each visit. It says where
	// it trusts the way: only there it sends Sec-Fetch headers, whoever ends the TLS.
	if request.Get("Sec-Fetch-Site") != "" {
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	header.Set("Cache-Control", "no-cache")
}
