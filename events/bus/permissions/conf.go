// Package permissions writes the accounts and permissions of a bridge as
// nats-server reads them: who may publish, read and create what.
//
// The files beside it are those of the default prefix, nats-create.conf for
// bridges that create their streams and nats-check.conf for WX_STREAMS=check;
// README.md says how to use them, and why applications have an account of their
// own. `wxbridge schema permissions` prints them for the environment's prefix.
package permissions

//go:generate go run ./internal/gen

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/wxbridge/wxbridge/events"
)

// role is a user of an account and what it may do.
type role struct {
	user               string
	publish, subscribe []right
	// responds: it answers messages on the subject that they name.
	responds bool
}

// Conf is the accounts block of a nats-server's configuration for the bridge of
// a prefix. With create the bridge may create its streams (WX_STREAMS=create),
// without it only the operator may. The passwords are variables of the server's
// environment: WX_INGRESS_PASSWORD and so on.
func Conf(p events.Prefix, create bool) []byte {
	n := names{p}
	w := &writer{}
	w.line("# Accounts and permissions of the wxbridge with the prefix %q, as nats-server reads them:", string(p))
	w.line("#   include %s", FileName(create))
	w.line("# Generated from its subjects and streams by `wxbridge schema permissions`; change the program, not this file.")
	w.open("accounts {")
	w.open("%s { # the bridge: all streams are here", n.Resource("BRIDGE"))
	w.line("jetstream: enabled")
	w.open("users: [")
	w.user(n, n.ingress(create))
	w.user(n, n.egress(create))
	w.line("# People and deployments. It may do everything, also forge: no service runs as it.")
	w.line("{ user: %q, password: $%s }", n.userName("operator"), n.password("operator"))
	w.close("]")
	w.open("exports: [ # all that an application can reach")
	w.shared(n, func(kind, subject string) {
		more := ""
		if kind == "service" && strings.HasPrefix(subject, "$JS.API.") {
			more = ", response: stream" // one request, many messages
		}
		w.line("{ %s: %q%s, accounts: [%s] }", kind, subject, more, n.Resource("APPS"))
	})
	w.close("]")
	w.close("}")
	w.open("%s { # the applications: no stream is here, see README.md", n.Resource("APPS"))
	w.open("users: [")
	w.user(n, n.application("application"))
	w.line("# An application that also stores files for upload_media: it could replace or purge those of others.")
	w.user(n, n.application("uploader", n.stores()))
	w.close("]")
	w.open("imports: [")
	w.shared(n, func(kind, subject string) {
		w.line("{ %s: {account: %s, subject: %q} }", kind, n.Resource("BRIDGE"), subject)
	})
	w.close("]")
	w.close("}")
	w.close("}")
	return w.b.Bytes()
}

// FileName is the name of the file that holds Conf for the default prefix.
func FileName(create bool) string {
	if create {
		return "nats-create.conf"
	}
	return "nats-check.conf"
}

// userName is the name of a role's user; names are unique in a server.
func (n names) userName(role string) string { return string(n.Prefix) + "." + role }

// password is the variable that holds a role's password.
func (n names) password(role string) string { return n.Resource(strings.ToUpper(role) + "_PASSWORD") }

// writer writes indented lines.
type writer struct {
	b     bytes.Buffer
	depth int
}

func (w *writer) line(format string, args ...any) {
	w.b.WriteString(strings.Repeat("  ", w.depth))
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteByte('\n')
}

func (w *writer) open(format string, args ...any) {
	w.line(format, args...)
	w.depth++
}

func (w *writer) close(bracket string) {
	w.depth--
	w.line("%s", bracket)
}

func (w *writer) user(n names, r role) {
	w.open("{ user: %q, password: $%s, permissions: { # WX_NATS_INBOX_PREFIX=%s",
		n.userName(r.user), n.password(r.user), n.inbox(strings.ToUpper(r.user)))
	w.rights("publish", r.publish)
	w.rights("subscribe", r.subscribe)
	if r.responds {
		w.line("# to answer what it hears, for as long as a reply is kept at most")
		w.line("allow_responses: {max: 4, expires: \"1h\"}")
	}
	w.close("} }")
}

func (w *writer) rights(verb string, rights []right) {
	w.open("%s: {allow: [", verb)
	for _, r := range rights {
		w.line("# %s", r.why)
		for _, s := range r.subjects {
			w.line("%q", s)
		}
	}
	w.close("]}")
}

// shared goes through what lies between the accounts, once for each side.
func (w *writer) shared(n names, each func(kind, subject string)) {
	for _, r := range append(n.reached(), n.stores()) {
		w.line("# %s", r.why)
		for _, s := range r.subjects {
			each("service", s)
		}
	}
	w.line("# the answers of plain subscribers to the ingress")
	each("service", n.inbox("INGRESS")+".*.*.*")
	w.line("# what a plain subscriber hears")
	for _, s := range n.heard() {
		each("stream", s)
	}
}
