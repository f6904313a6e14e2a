package bus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
)

// ack is JetStream's answer to a publish, or the server's word that nobody
// listens on the subject.
type ack struct {
	Stream    string  `json:"stream"`
	Sequence  *uint64 `json:"seq"`
	Duplicate bool    `json:"duplicate"`
	Error     *struct {
		Code        int    `json:"code"`
		ErrCode     int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
	// MsgType is no field of an ack: with it the message is somebody's reply.
	MsgType *json.RawMessage `json:"msgtype"`

	nobody bool
	unsent error // the message was not even sent
}

// readAck tells an ack from anything else.
func readAck(m *nats.Msg) (a ack, ok bool) {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return ack{nobody: true}, true
	}
	if a, ok := plainAck(m.Data); ok {
		return a, true
	}
	if json.Unmarshal(m.Data, &a) != nil || a.MsgType != nil {
		return ack{}, false
	}
	// Also an error of the stream names it; a service's {"error":{"code":404}} doesn't.
	return a, a.Stream != "" && (a.Error == nil && a.Sequence != nil || a.Error != nil && a.Error.ErrCode > 0)
}

// plainAck reads an ack as the server writes nearly all of them,
// {"stream":"WX_INBOUND","seq":4711}, without the decoder.
func plainAck(data []byte) (a ack, ok bool) {
	rest, begins := bytes.CutPrefix(data, []byte(`{"stream":"`))
	rest, ends := bytes.CutSuffix(rest, []byte("}"))
	stream, number, ok := bytes.Cut(rest, []byte(`","seq":`))
	special := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	if !begins || !ends || !ok || len(stream) == 0 || bytes.ContainsFunc(stream, special) {
		return ack{}, false
	}
	sequence, err := strconv.ParseUint(string(number), 10, 64)
	return ack{Stream: string(stream), Sequence: &sequence}, err == nil && number[0] != '0' && number[0] != '+'
}

const (
	// storeFailed is JetStream's err_code for a stream or subject that is full;
	// its code is 503 too, as if that were to pass.
	storeFailed = 10077
	// inProcess is the one where replicas are just storing a message of the same
	// id: soon the next try is a duplicate, or that one was lost and this is stored.
	inProcess = 10158
	// tooMany is the server's word that too much comes at once.
	tooMany = 10167
)

// lastWord says whether an error of a stream's stays, however often it is asked.
func lastWord(code, errCode int) bool {
	switch errCode {
	case storeFailed:
		return true
	case inProcess, tooMany:
		return false
	}
	return code != 503 // "temporarily unavailable": a leader is being elected
}

func (a ack) stored() bool { return a.Sequence != nil && a.Error == nil }

// verdict is what an ack says of a publish.
func (a ack) verdict(subject string) (Ack, error) {
	switch {
	case errors.Is(a.unsent, nats.ErrReconnectBufExceeded): // there is no such buffer
		return Ack{}, errors.New("NATS is not connected")
	case a.unsent != nil:
		return Ack{}, a.unsent
	case a.nobody:
		return Ack{}, fmt.Errorf("no stream listens: %w", nats.ErrNoResponders)
	case a.Error == nil:
		return Ack{Sequence: *a.Sequence, Duplicate: a.Duplicate}, nil
	case lastWord(a.Error.Code, a.Error.ErrCode):
		return Ack{}, &RefusedError{subject, a.Error.ErrCode, a.Error.Description}
	default:
		return Ack{}, errors.New(a.Error.Description)
	}
}
