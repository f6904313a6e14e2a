package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// File reads what a dataref in an event names: nats-object://WX_MEDIA/<name>.
//
// It asks for one part after the other. An ObjectStore of nats.go reads through
// a consumer of its own, which the permissions of an application do not allow:
// who may create a consumer can let NATS publish on any subject.
func (a App) File(ctx context.Context, dataref string) ([]byte, error) {
	bucket := a.prefix().Resource(BucketMedia)
	name, ok := strings.CutPrefix(dataref, "nats-object://"+bucket+"/")
	if !ok || name == "" {
		return nil, fmt.Errorf("dataref %q: it must begin with nats-object://%s/", dataref, bucket)
	}
	content, err := a.file(ctx, bucket, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dataref, err)
	}
	return content, nil
}

func (a App) file(ctx context.Context, bucket, name string) ([]byte, error) {
	stream, err := a.JetStream.Stream(ctx, "OBJ_"+bucket)
	if err != nil {
		return nil, err
	}
	// The subjects and the digest are those of NATS ADR-20.
	meta, err := stream.GetLastMsgForSubject(ctx, "$O."+bucket+".M."+base64.URLEncoding.EncodeToString([]byte(name)))
	if err != nil {
		return nil, err
	}
	var info jetstream.ObjectInfo
	if err := json.Unmarshal(meta.Data, &info); err != nil {
		return nil, err
	}
	if info.Deleted {
		return nil, jetstream.ErrObjectNotFound
	}
	var content bytes.Buffer
	next := uint64(1)
	for range info.Chunks {
		part, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject("$O."+bucket+".C."+info.NUID))
		if err != nil {
			return nil, err
		}
		content.Write(part.Data)
		next = part.Sequence + 1
	}
	sum := sha256.Sum256(content.Bytes())
	if digest := "SHA-256=" + base64.URLEncoding.EncodeToString(sum[:]); digest != info.Digest {
		return nil, jetstream.ErrDigestMismatch
	}
	return content.Bytes(), nil
}
