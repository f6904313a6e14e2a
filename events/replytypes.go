package events

import (
	"maps"
	"slices"
)

// ReplyTypes lists the msgtypes of a reply, in order, for documents and tools
// that offer them.
func ReplyTypes() []string { return slices.Sorted(maps.Keys(required)) }

// ReplyFields names the fields that a reply of a msgtype must have, as
// object.field; none of an unknown one.
func ReplyFields(msgtype string) []string { return slices.Clone(required[msgtype]) }
