package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard lets through whoever may use the API. Beside the token it keeps web pages out that a browser of this computer
// has open: they may neither send requests here (cross-origin protection) nor read the answers by giving their own
// name this computer's address (the check of the host).
func (s *Server) guard(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "a page of another origin may not ask for this")
	}))
	return protection.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.config.Token == "" && !isLocalName(r.Host):
			writeError(w, http.StatusForbidden, "without a token the admin page is reached by IP address or as localhost only")
		case s.config.Token != "" && !hasToken(r, s.config.Token):
			w.Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
			writeError(w, http.StatusUnauthorized, "the admin token is missing or wrong")
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// isLocalName reports whether a Host header is a name that nobody else can own: an IP address, or localhost.
func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost")
}

func hasToken(r *http.Request, token string) bool {
	given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	// Hashes have one length, so that the time of the comparison tells nothing of the token's.
	want, have := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
	return found && subtle.ConstantTimeCompare(want[:], have[:]) == 1
}

// secure adds the headers that keep a page to itself.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
			"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
