package bus

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// APIPrefix is what JetStream's requests and another domain's buckets begin with.
func APIPrefix(js jetstream.JetStream) string {
	switch o := js.Options(); {
	case o.Domain != "":
		return "$JS." + o.Domain + ".API."
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + "."
	}
	return jetstream.DefaultAPIPrefix
}

// leaderWithin is the client's own patience with a request.
const leaderWithin = 5 * time.Second

// leaderRequest names one message: the last of a subject, or the first of one that
// has a sequence or a later one.
type leaderRequest struct {
	LastFor  string `json:"last_by_subj,omitempty"`
	Sequence uint64 `json:"seq,omitempty"`
	NextFor  string `json:"next_by_subj,omitempty"`
}

// askLeader reads one message from a stream's leader. Where a stream allows direct
// gets, as those of buckets and object stores do, a client asks any replica, and one
// that lags says that what was just stored is not there, or gives what it replaced.
// The error is jetstream.ErrMsgNotFound where there is no such message.
func askLeader(ctx context.Context, js jetstream.JetStream, stream string, r leaderRequest) (*jetstream.RawStreamMsg, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, leaderWithin)
	defer cancel()
	m, err := look(ctx, func(ctx context.Context, subject string) (*nats.Msg, error) {
		return js.Conn().RequestWithContext(ctx, subject, request)
	}, APIPrefix(js)+"STREAM.MSG.GET."+stream)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject  string    `json:"subject"`
			Sequence uint64    `json:"seq"`
			Header   []byte    `json:"hdrs"`
			Data     []byte    `json:"data"`
			Time     time.Time `json:"time"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, err
	}
	switch {
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, jetstream.ErrMsgNotFound
	case answer.Error != nil:
		return nil, answer.Error
	}
	found := &jetstream.RawStreamMsg{
		Subject: answer.Message.Subject, Sequence: answer.Message.Sequence, Data: answer.Message.Data, Time: answer.Message.Time,
	}
	if len(answer.Message.Header) > 0 {
		found.Header, err = nats.DecodeHeadersMsg(answer.Message.Header)
	}
	return found, err
}
