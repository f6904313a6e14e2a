package egress

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// refScheme begins a dataref: nats-object://<bucket>/<name>.
const refScheme = "nats-object://"

// Headers of an object that the bridge stored.
const (
	objectType     = "Content-Type"
	objectFilename = "Filename"
)

// Media keeps files in the prefix's object store, as claim checks: an event
// carries the reference, the object store the bytes.
type Media struct{ bus *bus.Bus }

// NewMedia makes the media store of a bus.
func NewMedia(b *bus.Bus) *Media { return &Media{b} }

// refError is a dataref that leads to no file, now and later.
type refError struct{ ref, problem string }

func (e *refError) Error() string { return e.ref + ": " + e.problem }

// Is makes it what a [wxapi.MediaStore] says of a file that is not there.
func (e *refError) Is(target error) bool { return target == fs.ErrNotExist }

// object is the name of the file that a dataref names. Only the bucket of this
// prefix is read: a command must not reach into somebody else's.
func (m *Media) object(ref string) (name string, err error) {
	bucket, name, ok := strings.Cut(strings.TrimPrefix(ref, refScheme), "/")
	switch {
	case !strings.HasPrefix(ref, refScheme), !ok, name == "":
		return "", &refError{ref, "a dataref reads " + refScheme + "<bucket>/<name>"}
	case bucket != m.bucket():
		return "", &refError{ref, "only files of the bucket " + m.bucket() + " can be read"}
	}
	return name, nil
}

// Open implements [wxapi.MediaStore].
func (m *Media) Open(ctx context.Context, ref string) (io.ReadCloser, wxapi.MediaInfo, error) {
	name, err := m.object(ref)
	if err != nil {
		return nil, wxapi.MediaInfo{}, err
	}
	file, err := bus.OpenObject(ctx, m.bus.JetStream(), m.bucket(), name)
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return nil, wxapi.MediaInfo{}, &refError{ref, "it was never stored, or is older than the store's 3 days"}
	case err != nil:
		return nil, wxapi.MediaInfo{}, fmt.Errorf("%s: %w", ref, err)
	case file.Info.Opts != nil && file.Info.Opts.Link != nil:
		// In whatever bucket: for the bucket's sake it is not followed.
		return nil, wxapi.MediaInfo{}, &refError{ref, "it is a link to another object, and links are not followed"}
	}
	return whole{file, ref}, wxapi.MediaInfo{
		ContentType: file.Info.Headers.Get(objectType), Filename: file.Info.Headers.Get(objectFilename),
		Size: int64(file.Info.Size), SHA256: sha256Of(file.Info.Digest),
	}, nil
}

// has says whether a file that was stored is there still.
func (m *Media) has(ctx context.Context, ref string) (bool, error) {
	name, err := m.object(ref)
	if err != nil {
		return false, nil //nolint:nilerr // such a file is in no store of ours
	}
	_, err = bus.OpenObject(ctx, m.bus.JetStream(), m.bucket(), name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return false, nil
	}
	return err == nil, err
}

// whole is a file whose last byte comes only if all of them are those that were
// stored. No repetition mends one that is not.
type whole struct {
	*bus.Object
	ref string
}

func (w whole) Read(p []byte) (int, error) {
	n, err := w.Object.Read(p)
	switch {
	case errors.Is(err, jetstream.ErrDigestMismatch):
		err = &refError{w.ref, "its bytes are not those that were stored"}
	case errors.Is(err, jetstream.ErrObjectNotFound):
		err = &refError{w.ref, "parts of it are gone, it is as old as the store's 3 days"}
	}
	return n, err
}

// sha256Of is an object's digest in hexadecimal, "" if it is none.
func sha256Of(digest string) string {
	sum, err := jetstream.DecodeObjectDigest(digest)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum)
}

// Create implements [wxapi.MediaStore]. The name is ours, never the caller's.
func (m *Media) Create(ctx context.Context, info wxapi.MediaInfo, r io.Reader) (string, wxapi.MediaInfo, error) {
	store, err := m.store(ctx)
	if err != nil {
		return "", info, err
	}
	name := nuid.Next()
	meta := jetstream.ObjectMeta{Name: name, Headers: map[string][]string{}}
	if info.ContentType != "" {
		meta.Headers.Set(objectType, info.ContentType)
	}
	if info.Filename != "" {
		meta.Headers.Set(objectFilename, info.Filename)
	}
	stored, err := store.Put(ctx, meta, r)
	if err != nil {
		return "", info, fmt.Errorf("object store: %w", err)
	}
	info.Size, info.SHA256 = int64(stored.Size), sha256Of(stored.Digest)
	return m.ref(name), info, nil
}

// putBytes stores a file under a name that follows from what it belongs to, so
// that storing it again replaces it.
func (m *Media) putBytes(ctx context.Context, name, contentType string, body []byte) (string, error) {
	store, err := m.store(ctx)
	if err != nil {
		return "", err
	}
	meta := jetstream.ObjectMeta{Name: name, Headers: map[string][]string{objectType: {contentType}}}
	if _, err := store.Put(ctx, meta, bytes.NewReader(body)); err != nil {
		return "", fmt.Errorf("object store: %w", err)
	}
	return m.ref(name), nil
}

func (m *Media) bucket() string { return m.bus.Prefix.Resource(bus.BucketMedia) }

func (m *Media) ref(name string) string { return refScheme + m.bucket() + "/" + name }

func (m *Media) store(ctx context.Context) (jetstream.ObjectStore, error) {
	store, err := m.bus.JetStream().ObjectStore(ctx, m.bucket())
	if err != nil {
		return nil, fmt.Errorf("object store %s: %w", m.bucket(), err)
	}
	return store, nil
}
