package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/nats-io/nats.go/jetstream"
)

// Object is a file of an object store, as the leader of the store's stream has it.
//
// An ObjectStore of nats.go asks any replica what the file is, and reads it through
// a consumer on any, which ends where that replica ends: where one lags, a file that
// was just stored is not there, or is cut. Such a consumer is also more than an
// application may have: who creates one can let NATS publish on any subject. So this
// asks for one part after the other; they are those of NATS ADR-20.
type Object struct {
	Info jetstream.ObjectInfo

	ctx    context.Context
	js     jetstream.JetStream
	bucket string

	parts uint32 // that were read
	next  uint64 // where the next one can be
	rest  []byte // of the last one
	sum   hash.Hash
}

// OpenObject finds a file. The error is jetstream.ErrObjectNotFound where there is
// none. ctx is for the reading too.
func OpenObject(ctx context.Context, js jetstream.JetStream, bucket, name string) (*Object, error) {
	o := &Object{ctx: ctx, js: js, bucket: bucket, next: 1, sum: sha256.New()}
	meta, err := askLeader(ctx, js, "OBJ_"+bucket, leaderRequest{LastFor: "$O." + bucket + ".M." + base64.URLEncoding.EncodeToString([]byte(name))})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, jetstream.ErrObjectNotFound
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(meta.Data, &o.Info); err != nil {
		return nil, fmt.Errorf("what the store says about the file: %w", err)
	}
	if o.Info.Deleted {
		return nil, jetstream.ErrObjectNotFound
	}
	return o, nil
}

// Read gives the file's last byte only if all of them are those that were stored;
// otherwise the error is jetstream.ErrDigestMismatch. It is jetstream.ErrObjectNotFound
// where parts are gone.
func (o *Object) Read(p []byte) (int, error) {
	for len(o.rest) == 0 {
		if o.parts == o.Info.Chunks {
			return 0, o.end()
		}
		if err := o.part(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// part reads one more part.
func (o *Object) part() error {
	m, err := askLeader(o.ctx, o.js, "OBJ_"+o.bucket, leaderRequest{Sequence: o.next, NextFor: "$O." + o.bucket + ".C." + o.Info.NUID})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return o.gone()
	case err != nil:
		return err
	}
	o.parts, o.next, o.rest = o.parts+1, m.Sequence+1, m.Data
	o.sum.Write(o.rest)
	return nil
}

// gone is why a part is not there: parts grow old one by one, and those of a file
// that is replaced are removed.
func (o *Object) gone() error {
	now, err := OpenObject(o.ctx, o.js, o.bucket, o.Info.Name)
	if err != nil {
		return err
	}
	if now.Info.NUID != o.Info.NUID {
		return errors.New("it was replaced while it was read")
	}
	return jetstream.ErrObjectNotFound
}

func (o *Object) end() error {
	// Of the digest's name clients write what they like; there is one algorithm.
	if stored, err := jetstream.DecodeObjectDigest(o.Info.Digest); err != nil || !bytes.Equal(stored, o.sum.Sum(nil)) {
		return jetstream.ErrDigestMismatch
	}
	return io.EOF
}

// Close makes it an io.ReadCloser; there is nothing to be closed.
func (o *Object) Close() error { return nil }
