package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Newest reads the value of a bucket's key and its revision from the leader of the
// bucket's stream. A Get of the client's is answered by any replica, which may not
// know yet what another process was told is stored: good enough where a
// compare-and-set follows, and where it does not matter. The error is
// jetstream.ErrKeyNotFound where nothing is.
func Newest(ctx context.Context, js jetstream.JetStream, bucket, key string) (value []byte, revision uint64, err error) {
	m, err := askLeader(ctx, js, "KV_"+bucket, leaderRequest{LastFor: "$KV." + bucket + "." + key})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, 0, jetstream.ErrKeyNotFound
	case err != nil:
		return nil, 0, fmt.Errorf("%s in %s: %w", key, bucket, err)
	case m.Header.Get("KV-Operation") != "" || m.Header.Get(jetstream.MarkerReasonHeader) != "":
		return nil, 0, jetstream.ErrKeyNotFound // it was deleted
	}
	return m.Data, m.Sequence, nil
}
