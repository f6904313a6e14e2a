package egress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// job is one command on its way.
type job struct {
	command   events.Command
	message   events.Message
	malformed error
	row       *wxapi.Row // nil for an unknown verb
	api       string     // what is paused when its quota is used up
	data      []byte     // what is sent: the command's data, with a key where WeChat knows one
	keyed     bool       // WeChat knows a repetition of this command
	checked   *wxapi.Checked
	claim     queue.Claim
	turn      queue.Turn
	began     time.Time
	admitted  bool // it may be sent now, as far as the rates go
	// inherited: somebody stopped while the command was being sent.
	inherited bool
}

// read makes a job of a message of the queue: what it asks for, and what it
// must wait for. It calls nobody.
func (e *Egress) read(m queue.Message) (task queue.Task) {
	bareID := m.Origin + "-" + strconv.FormatUint(m.Sequence, 10)
	j := &job{message: events.Message{
		Subject: m.Subject, Header: events.Header(m.Header), Body: m.Body, Sequence: m.Sequence, Time: m.Time,
	}}
	task.Expires = m.Time.Add(events.CommandLife)
	task.Work = func(ctx context.Context, turn queue.Turn) queue.Verdict { return e.work(ctx, j, turn) }
	// A command that brings the program down would do so to every replica in turn.
	defer func() {
		if mistake := recover(); mistake != nil {
			j.command = events.Command{ID: bareID, Verb: "_"}
			task.Work = func(ctx context.Context, turn queue.Turn) queue.Verdict {
				j.turn, j.began = turn, time.Now()
				return e.mistaken(ctx, j, mistake)
			}
		}
	}()
	j.command, j.malformed = events.ParseCommand(e.bus.Prefix, j.message, bareID)
	if odd := fit(&j.command, bareID); j.malformed == nil {
		j.malformed = odd
	}
	e.recognise(j)
	task.Lane, task.Gate, task.Expires = j.command.PartitionKey, j.api, j.command.Expires
	return task
}

// recognise finds the row of a command, and what follows from it: what is sent,
// which API is called, and whom the command is about.
func (e *Egress) recognise(j *job) {
	row, known := wxapi.Lookup(j.command.Verb)
	if !known {
		return
	}
	j.row, j.api = row, apiOf(row, j.command.Data)
	j.data, j.keyed = e.withKey(row, j.command)
	if row.Lane == "" || j.command.PartitionKey != "" {
		return
	}
	if lane := field(j.command.Data, row.Lane); len(lane) <= maxAttribute {
		j.command.PartitionKey = lane
	}
}

// withKey gives a command the key by which WeChat knows its repetition, unless
// its sender did. It follows from the id, so that every heir sends the same one.
func (e *Egress) withKey(row *wxapi.Row, c events.Command) (data []byte, keyed bool) {
	var fields map[string]json.RawMessage
	if row.Retry != wxapi.Keyed || json.Unmarshal(c.Data, &fields) != nil {
		return c.Data, false
	}
	if own, there := fields[row.Key]; there {
		return c.Data, len(own) > 2 && own[0] == '"'
	}
	sum := sha256.Sum256([]byte(string(e.bus.Prefix) + "." + c.ID))
	data = fmt.Appendf(nil, `{"%s":"%s"`, row.Key, hex.EncodeToString(sum[:16]))
	if len(fields) > 0 {
		data = append(data, ',')
	}
	return append(data, bytes.TrimSpace(c.Data)[1:]...), true
}

// refuse says why a command cannot be executed at all.
func (e *Egress) refuse(j *job) error {
	if e.callOnly(j) { // whatever else is wrong with it
		_, verb, _ := e.bus.Prefix.Split(j.message.Subject)
		return &callOnlyError{verb}
	}
	if len(j.message.Body) > e.cfg.MaxCommand {
		return fmt.Errorf("the command is %d bytes, at most %d are possible (WX_MAX_COMMAND): put files into the object store and pass a dataref", len(j.message.Body), e.cfg.MaxCommand)
	}
	switch {
	case j.malformed != nil:
		return j.malformed
	case j.row == nil:
		return unknownVerb(j.command.Verb)
	}
	var err error
	j.checked, err = e.check(j.row, j.data)
	return err
}

// check applies the row's checks, with WX_STRICT also its warnings, and looks
// at a dataref before anybody waits for what it names.
func (e *Egress) check(row *wxapi.Row, data []byte) (*wxapi.Checked, error) {
	checked, err := row.Prepare(data)
	if err != nil {
		return nil, err
	}
	if e.cfg.Strict && len(checked.Warnings) > 0 {
		return nil, &wxapi.RequestError{Verb: row.Name, Path: checked.Warnings[0], Problem: "the field is unknown, and WX_STRICT=1 rejects it"}
	}
	if row.Body != wxapi.Upload {
		return checked, nil
	}
	if ref := dataref(data); ref != "" {
		if _, err := e.media.object(ref); err != nil {
			return nil, &wxapi.RequestError{Verb: row.Name, Path: "media.dataref", Problem: err.Error()}
		}
	}
	return checked, nil
}

// dataref is where an upload's data say that the file is.
func dataref(data []byte) string {
	var upload struct {
		Media struct {
			DataRef string `json:"dataref"`
		} `json:"media"`
	}
	if json.Unmarshal(data, &upload) != nil {
		return ""
	}
	return upload.Media.DataRef
}

// apiOf is what WeChat counts a command's calls under.
func apiOf(row *wxapi.Row, data []byte) string {
	if row.Name == callAPI {
		return callAPI + field(data, "path")
	}
	return row.Name
}

// callAPI is the verb that reaches any path, each with a quota of its own.
const callAPI = "call_api"

// pathOf is the path of an API by the name that apiOf gave it.
func pathOf(api string) string {
	if row, known := wxapi.Lookup(api); known && row.Name != callAPI {
		return row.Path
	}
	return strings.TrimPrefix(api, callAPI)
}

// field reads a text field of the data.
func field(data []byte, name string) string {
	if name == "" {
		return ""
	}
	return events.TextMember(bytes.TrimSpace(data), name)
}
