// Package schedule sends load when it is due, whatever the server does.
package schedule
