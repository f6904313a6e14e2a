package bus

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// refScheme begins a dataref.
const refScheme = "nats-object://"

// File reads what a dataref in an event names: nats-object://WX_MEDIA/<name>, or
// WX_LETTER, where the originals of dead letters are that are too large for one.
// The error is jetstream.ErrObjectNotFound where it is gone.
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
	file, err := OpenObject(ctx, a.JetStream, bucket, name)
	if err != nil {
		return nil, jetstream.ObjectInfo{}, fmt.Errorf("%s: %w", dataref, err)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, file.Info, fmt.Errorf("%s: %w", dataref, err)
	}
	return content, file.Info, nil
}
