package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// refScheme begins a dataref.
const refScheme = "nats-object://"

// File reads what a dataref in an event names: nats-object://WX_MEDIA/<name>, or
// WX_LETTER, where the originals of dead letters are that are too large for one.
//
// It asks for one part after the other. An ObjectStore of nats.go reads through
// a consumer of its own, which the permissions of an application do not allow:
// who may create a consumer can let NATS publish on any subject.
func (a App) File(ctx context.Context, dataref string) ([]byte, error) {
	content, _, err := a.object(ctx, dataref)
	return content, err
}

// Original reads what a dead letter is about as it was published, wherever it is
// kept. An original that is lost has no body. The error is
// jetstream.ErrObjectNotFound where it is gone.
func (a App) Original(ctx context.Context, l events.DeadLetter) (events.Header, []byte, error) {
	if l.BodyRef == "" {
		return l.Headers, l.Original(), nil
	}
	content, info, err := a.object(ctx, l.BodyRef)
	return events.Header(info.Headers), content, err
}

func (a App) object(ctx context.Context, dataref string) ([]byte, jetstream.ObjectInfo, error) {
	media, letter := a.prefix().Resource(BucketMedia), a.prefix().Resource(BucketLetter)
	bucket, name, ok := strings.Cut(strings.TrimPrefix(dataref, refScheme), "/")
	if !strings.HasPrefix(dataref, refScheme) || !ok || name == "" || bucket != media && bucket != letter {
		return nil, jetstream.ObjectInfo{}, fmt.Errorf("dataref %q: it must begin with %s%s/ or %s%s/", dataref, refScheme, media, refScheme, letter)
	}
	content, info, err := a.file(ctx, bucket, name)
	if err != nil {
		return nil, info, fmt.Errorf("%s: %w", dataref, err)
	}
	return content, info, nil
}

func (a App) file(ctx context.Context, bucket, name string) (whole []byte, info jetstream.ObjectInfo, err error) {
	stream, err := a.JetStream.Stream(ctx, "OBJ_"+bucket)
	if err != nil {
		return nil, info, err
	}
	// The subjects and the digest are those of NATS ADR-20.
	meta, err := stream.GetLastMsgForSubject(ctx, "$O."+bucket+".M."+base64.URLEncoding.EncodeToString([]byte(name)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, info, jetstream.ErrObjectNotFound
	}
	if err != nil {
		return nil, info, err
	}
	if err := json.Unmarshal(meta.Data, &info); err != nil {
		return nil, info, err
	}
	if info.Deleted {
		return nil, info, jetstream.ErrObjectNotFound
	}
	var content bytes.Buffer
	next := uint64(1)
	for range info.Chunks {
		part, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject("$O."+bucket+".C."+info.NUID))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil, info, jetstream.ErrObjectNotFound // it grows old part by part
		}
		if err != nil {
			return nil, info, err
		}
		content.Write(part.Data)
		next = part.Sequence + 1
	}
	sum := sha256.Sum256(content.Bytes())
	if digest := "SHA-256=" + base64.URLEncoding.EncodeToString(sum[:]); digest != info.Digest {
		return nil, info, jetstream.ErrDigestMismatch
	}
	return content.Bytes(), info, nil
}
