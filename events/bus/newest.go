package bus

import (
	"context"
	"encoding/json"
	"fmt"
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

// newestWithin is the client's own patience with a request.
const newestWithin = 5 * time.Second

// Newest reads the value of a bucket's key and its revision from the leader of the
// bucket's stream. A Get of the client's is answered by any replica, which may not
// know yet what another process was told is stored: good enough where a
// compare-and-set follows, and where it does not matter. The error is
// jetstream.ErrKeyNotFound where nothing is.
func Newest(ctx context.Context, js jetstream.JetStream, bucket, key string) (value []byte, revision uint64, err error) {
	request, err := json.Marshal(map[string]string{"last_by_subj": "$KV." + bucket + "." + key})
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, newestWithin)
	defer cancel()
	m, err := look(ctx, func(ctx context.Context, subject string) (*nats.Msg, error) {
		return js.Conn().RequestWithContext(ctx, subject, request)
	}, APIPrefix(js)+"STREAM.MSG.GET.KV_"+bucket)
	if err != nil {
		return nil, 0, fmt.Errorf("%s in %s: %w", key, bucket, err)
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Sequence uint64 `json:"seq"`
			Header   []byte `json:"hdrs"`
			Data     []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, 0, fmt.Errorf("%s in %s: %w", key, bucket, err)
	}
	switch {
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, 0, jetstream.ErrKeyNotFound
	case answer.Error != nil:
		return nil, 0, fmt.Errorf("%s in %s: %w", key, bucket, answer.Error)
	case len(answer.Message.Header) == 0:
		return answer.Message.Data, answer.Message.Sequence, nil
	}
	header, err := nats.DecodeHeadersMsg(answer.Message.Header)
	if err != nil {
		return nil, 0, fmt.Errorf("%s in %s: %w", key, bucket, err)
	}
	if header.Get("KV-Operation") != "" || header.Get(jetstream.MarkerReasonHeader) != "" {
		return nil, 0, jetstream.ErrKeyNotFound // it was deleted
	}
	return answer.Message.Data, answer.Message.Sequence, nil
}
