package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/permissions"
	schemas "github.com/wxbridge/wxbridge/events/schema"
	"github.com/wxbridge/wxbridge/wxapi"
)

// Names of what `wxbridge schema` prints beside the JSON Schemas.
const (
	schemaAsyncAPI    = "asyncapi"
	schemaStreams     = "streams"
	schemaPermissions = "permissions"
)

// schema prints the contract's files: without a name the names there are.
func schema(_ context.Context, p *program) error {
	names := append(schemas.Names(), schemaAsyncAPI, schemaStreams, schemaPermissions)
	if len(p.args) == 0 {
		fmt.Fprintln(p.out, strings.Join(names, "\n"))
		return nil
	}
	name, rest := p.args[0], p.args[1:]
	if len(rest) > 0 && name != schemaStreams {
		return &configError{fmt.Errorf("%q: one name at a time", rest[0])}
	}
	switch name {
	case schemaStreams:
		return printStreams(p, rest)
	case schemaPermissions:
		return printPermissions(p)
	case schemaAsyncAPI:
		_, err := p.out.Write(schemas.AsyncAPI())
		return err
	}
	file, ok := schemas.JSON(name)
	if !ok {
		return &configError{fmt.Errorf("there is no schema %q%s; `wxbridge schema` lists them", name, instead(name))}
	}
	_, err := p.out.Write(file)
	return err
}

// instead is what somebody who asked for an unknown schema may have meant.
func instead(name string) string {
	branch, last, found := strings.Cut(name, ".")
	if !found {
		branch, last = "", name
	}
	near := schemas.Nearest(name)
	if verb := wxapi.Nearest(last); len(near) == 0 && verb != "" { // it knows the names of another SDK
		near = []string{string(events.Cmd) + "." + verb}
	}
	switch {
	case len(near) > 0:
		return ", but " + strings.Join(near, ", ")
	case branch == string(events.Inbound):
		return ", but inbound, of the kinds that have none of their own"
	}
	return ""
}

// printPermissions prints the accounts and permissions for nats-server, for the
// prefix of the environment and its way of making streams.
func printPermissions(p *program) error {
	s, faults := loadSettings()
	if err := errors.Join(append(faults, bus.ValidatePrefix(s.Prefix), s.Streams.Validate())...); err != nil {
		return &configError{err}
	}
	_, err := p.out.Write(permissions.Conf(s.Prefix, s.Streams.Mode == "create"))
	return err
}

// printStreams prints the settings of all streams and buckets as a list, or
// of the one that is named as the object that `nats stream add --config` takes.
func printStreams(p *program, only []string) error {
	s, faults := loadSettings()
	if err := errors.Join(append(faults, bus.ValidatePrefix(s.Prefix), s.Streams.Validate())...); err != nil {
		return &configError{err}
	}
	var out any
	streams := allStreams(s.Prefix, s.Streams)
	switch {
	case len(only) == 0:
		out = streams
	case len(only) > 1:
		return &configError{fmt.Errorf("%q: one name at a time", only[1])}
	default:
		i := slices.IndexFunc(streams, func(c jetstream.StreamConfig) bool { return c.Name == only[0] })
		if i < 0 {
			var names []string
			for _, c := range streams {
				names = append(names, c.Name)
			}
			return &configError{fmt.Errorf("there is no stream %q, but %s", only[0], strings.Join(names, ", "))}
		}
		out = streams[i]
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false) // "$KV.WX_CLAIM.>"
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

// allStreams is everything that the bridge keeps in JetStream, buckets as the
// streams that they are.
func allStreams(p events.Prefix, c bus.StreamConfig) []jetstream.StreamConfig {
	all := c.Streams(p)
	for _, b := range c.Buckets(p) {
		all = append(all, bucketStream(b))
	}
	for _, o := range c.Objects(p) {
		all = append(all, objectStream(o))
	}
	return all
}

// bucketStream is the stream behind a key-value bucket (NATS ADR-8), as
// nats.go makes it.
func bucketStream(b jetstream.KeyValueConfig) jetstream.StreamConfig {
	const window = 2 * time.Minute
	s := jetstream.StreamConfig{
		Name: "KV_" + b.Bucket, Description: b.Description, Subjects: []string{"$KV." + b.Bucket + ".>"},
		MaxMsgsPerSubject: int64(max(b.History, 1)), MaxAge: b.TTL, Duplicates: window,
		Storage: b.Storage, Replicas: max(b.Replicas, 1), Discard: jetstream.DiscardNew,
		AllowRollup: true, DenyDelete: true, AllowDirect: true,
		MaxBytes: -1, MaxMsgs: -1, MaxMsgSize: -1, MaxConsumers: -1,
	}
	if b.TTL > 0 {
		s.Duplicates = min(b.TTL, window)
	}
	return s
}

// objectStream is the stream behind an object store (NATS ADR-20), likewise.
func objectStream(o jetstream.ObjectStoreConfig) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: "OBJ_" + o.Bucket, Description: o.Description,
		Subjects: []string{"$O." + o.Bucket + ".C.>", "$O." + o.Bucket + ".M.>"},
		MaxAge:   o.TTL, Storage: o.Storage, Replicas: max(o.Replicas, 1), Discard: jetstream.DiscardNew,
		AllowRollup: true, AllowDirect: true,
		MaxBytes: -1, MaxMsgs: -1, MaxMsgsPerSubject: -1, MaxMsgSize: -1, MaxConsumers: -1,
	}
}
