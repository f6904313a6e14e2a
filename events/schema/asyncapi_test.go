package schema_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/schema"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// document reads YAML as the validator wants it.
func document(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	doc, ok := value(t, encode(t, v)).(map[string]any)
	if !ok {
		t.Fatal("the document is no object")
	}
	return doc
}

// both are the document as a file beside the schemas, and with them inside.
func both(t testing.TB) map[string]map[string]any {
	t.Helper()
	file, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]map[string]any{"asyncapi.yaml": document(t, file), "schema.AsyncAPI": document(t, schema.AsyncAPI())}
}

// Both forms are AsyncAPI 3.0.0.
func TestAsyncAPIFitsItsSchema(t *testing.T) {
	t.Parallel()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("file:///asyncapi.json", value(t, read(t, "events/schema/testdata/asyncapi-3.0.schema.json"))); err != nil {
		t.Fatal(err)
	}
	rule, err := c.Compile("file:///asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range both(t) {
		if err := rule.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, part := range []string{"info", "channels", "operations", "components"} {
			whole := doc[part]
			doc[part] = map[string]any{"unheard": map[string]any{"of": true}}
			if rule.Validate(doc) == nil {
				t.Errorf("the check takes anything for %s", part)
			}
			doc[part] = whole
		}
	}
}

// What no schema of AsyncAPI can say: references lead to where they may lead.
func TestAsyncAPIReferences(t *testing.T) {
	t.Parallel()
	for name, doc := range both(t) {
		references(t, doc, doc, "#")
		for id, one := range child(doc, "channels") {
			parameters(t, name+" channel "+id, one.(map[string]any))
		}
		for id, one := range child(doc, "operations") {
			operation(t, doc, name+" operation "+id, one.(map[string]any))
		}
	}
	if text := string(schema.AsyncAPI()); strings.Contains(text, "$ref: ./") || strings.Contains(text, `"$id"`) {
		t.Error("the document refers to files")
	}
}

func child(v map[string]any, path ...string) map[string]any {
	for _, key := range path {
		v, _ = v[key].(map[string]any)
	}
	return v
}

// references expects every $ref to lead somewhere.
func references(t *testing.T, doc map[string]any, v any, at string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			target, isText := inner.(string)
			if key == "$ref" && isText && resolve(doc, target) == nil {
				t.Errorf("%s: %s leads nowhere", at, target)
			}
			references(t, doc, inner, at+"/"+key)
		}
	case []any:
		for i, inner := range v {
			references(t, doc, inner, fmt.Sprintf("%s/%d", at, i))
		}
	}
}

// resolve is what a reference leads to, nil for nothing.
func resolve(doc map[string]any, target string) any {
	if file, ok := strings.CutPrefix(target, "./"); ok {
		text, found := schema.JSON(strings.TrimSuffix(file, ".json"))
		if !found || !strings.HasSuffix(file, ".json") {
			return nil
		}
		return text
	}
	path, ok := strings.CutPrefix(target, "#/")
	if !ok {
		return nil
	}
	var v any = doc
	for key := range strings.SplitSeq(path, "/") {
		o, isObject := v.(map[string]any)
		if !isObject {
			return nil
		}
		v = o[key]
	}
	return v
}

var inBraces = regexp.MustCompile(`\{([^}]+)\}`)

// parameters expects a channel to describe the parameters of its address.
func parameters(t *testing.T, at string, channel map[string]any) {
	t.Helper()
	address, _ := channel["address"].(string)
	described := child(channel, "parameters")
	found := inBraces.FindAllStringSubmatch(address, -1)
	for _, f := range found {
		if described[f[1]] == nil {
			t.Errorf("%s: %s is not described", at, f[0])
		}
	}
	if len(found) != len(described) {
		t.Errorf("%s: address %q and %d parameters", at, address, len(described))
	}
	if len(child(channel, "messages")) == 0 {
		t.Errorf("%s has no message", at)
	}
}

// operation expects messages of the operation's channel, and a reply that can be.
func operation(t *testing.T, doc map[string]any, at string, op map[string]any) {
	t.Helper()
	subset := func(of map[string]any) (channel map[string]any) {
		target, _ := child(of, "channel")["$ref"].(string)
		if !regexp.MustCompile(`^#/channels/[a-z]+$`).MatchString(target) {
			t.Errorf("%s: channel %q", at, target)
			return nil
		}
		messages, _ := of["messages"].([]any)
		for _, m := range messages {
			one, _ := m.(map[string]any)["$ref"].(string)
			if !strings.HasPrefix(one, target+"/messages/") {
				t.Errorf("%s: %s is no message of %s", at, one, target)
			}
		}
		channel, _ = resolve(doc, target).(map[string]any)
		return channel
	}
	subset(op)
	reply := child(op, "reply")
	if reply == nil {
		return
	}
	if channel := subset(reply); reply["address"] != nil && channel["address"] != nil {
		t.Errorf("%s: an address beside that of the channel", at)
	}
}

// Every event that the bridge publishes, and every command, is exactly the one
// message of its channel that has its name.
func TestEventsFitTheirMessages(t *testing.T) {
	t.Parallel()
	doc := both(t)["schema.AsyncAPI"]
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("file:///doc.json", doc); err != nil {
		t.Fatal(err)
	}
	of := func(channel, message string) *jsonschema.Schema {
		one, err := c.Compile("file:///doc.json#/channels/" + channel + "/messages/" + message + "/payload")
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	for _, e := range published(t) {
		_, body, err := events.EncodeStructured(e)
		if err != nil {
			t.Fatal(err)
		}
		branch, name, found := strings.Cut(strings.TrimPrefix(e.Type(), "com.qq.weixin.mp."), ".")
		if strings.HasSuffix(e.DataSchema(), ":inbound:1") {
			name = "unlisted"
		}
		if shared := []string{"outcome", "dlq", "mark"}; !found || slices.Contains(shared, branch) {
			name = branch
		}
		if row, ok := wxapi.Lookup(name); ok && row.CallOnly {
			continue // neither its commands nor its results are in a stream
		}
		if err := of(branch, name).Validate(value(t, body)); err != nil {
			t.Errorf("%s: %v\n%s", e.Type(), err, body)
		}
		if branch == string(events.Inbound) && of(branch, "video").Validate(value(t, body)) == nil && name != "video" {
			t.Errorf("%s is a video too", e.Type())
		}
		if branch == string(events.Inbound) && of(branch, "unlisted").Validate(value(t, body)) == nil && name != "unlisted" {
			t.Errorf("%s is of an unlisted kind too", e.Type())
		}
	}
	event := []byte(`{"specversion":"1.0","id":"1","source":"/shop","type":"shop.answer","data":{"msgtype":"text","text":{"content":"hi"}}}`)
	if err := of("reply", "reply").Validate(value(t, event)); err != nil {
		t.Error(err)
	}
	if of("reply", "reply.bare").Validate(value(t, event)) == nil {
		t.Error("an event is a bare reply too")
	}
}

// Every kind and verb has its message and operation.
func TestAsyncAPIIsComplete(t *testing.T) {
	t.Parallel()
	doc := both(t)["asyncapi.yaml"]
	for _, k := range callback.Kinds() {
		if child(doc, "channels", "inbound", "messages", k.Name) == nil {
			t.Errorf("no message %s", k.Name)
		}
	}
	for _, row := range wxapi.Verbs() {
		if child(doc, "channels", "call", "messages", row.Name) == nil || child(doc, "operations", "call."+row.Name) == nil {
			t.Errorf("no call %s", row.Name)
		}
		for _, there := range []bool{
			child(doc, "channels", "cmd", "messages", row.Name) != nil, child(doc, "channels", "result", "messages", row.Name) != nil,
			child(doc, "operations", "cmd."+row.Name) != nil,
		} {
			if there == row.CallOnly {
				t.Errorf("%s: a command %t, call only %t", row.Name, there, row.CallOnly)
			}
		}
	}
	for _, call := range events.OwnCalls() {
		if child(doc, "channels", "call", "messages", call.Name) == nil || child(doc, "channels", "answer", "messages", call.Name) == nil ||
			child(doc, "operations", "call."+call.Name) == nil {
			t.Errorf("no call %s", call.Name)
		}
	}
}
