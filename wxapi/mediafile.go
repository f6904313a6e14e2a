package wxapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// UploadMediaFile uploads a file from the disk: [Client.UploadMedia] for those
// who have a path. What is true of a typ (image, voice, video or thumb) stands
// there.
func (c *Client) UploadMediaFile(ctx context.Context, typ, path string) (*UploadMediaResponse, error) {
	f, err := os.Open(path) //nolint:gosec // which file is the caller's to say
	if err != nil {
		return nil, fmt.Errorf("wxapi: %s: nothing was sent: %w", UploadMedia.Name, err)
	}
	defer f.Close()
	return c.UploadMediaFrom(ctx, typ, filepath.Base(path), f)
}

// UploadMediaFrom uploads what r has left: [Client.UploadMedia] for those who
// have a reader. It reads little more of it than WeChat would take. The filename
// may be empty; the extension of one that is not must fit the typ.
func (c *Client) UploadMediaFrom(ctx context.Context, typ, filename string, r io.Reader) (*UploadMediaResponse, error) {
	var data []byte
	if rule, known := temporaryRules[typ]; known { // the row refuses the others
		var err error
		var problem *RequestError
		switch data, err = io.ReadAll(io.LimitReader(r, rule.bytes+1)); {
		case err != nil:
			return nil, fmt.Errorf("wxapi: %s: nothing was sent: %w", UploadMedia.Name, err)
		case len(data) == 0: // to the row it would look like no file at all
			problem = refuse("media", "is empty")
		case int64(len(data)) > rule.bytes:
			problem = refuse("media", "is longer than %d bytes, which is the most for type %s", rule.bytes, typ)
		}
		if problem != nil {
			problem.Verb = UploadMedia.Name
			return nil, problem
		}
	}
	return c.UploadMedia(ctx, &UploadMediaRequest{Type: typ, Filename: filename, Media: Media{Base64: data}})
}

// DownloadMedia downloads a file into the folder dir, which is made if it is not
// there, and returns its path: [Client.GetMedia] for those who have a disk. A
// [MediaStore] of the client is left alone.
//
// The name is the media_id and the extension that fits the bytes, whatever
// WeChat or the follower call the file. A second download replaces the first.
// Under that name there is never a part of a file, and only this user may read
// it.
func (c *Client) DownloadMedia(ctx context.Context, mediaID, dir string) (path string, err error) {
	to := &folder{dir: cmp.Or(dir, ".")}
	client := *c
	client.config.Media = to
	_, err = client.GetMedia(ctx, &GetMediaRequest{MediaID: mediaID})
	if to.err != nil {
		return "", fmt.Errorf("wxapi: %s: %w", GetMedia.Name, to.err)
	}
	if err != nil {
		return "", err
	}
	return to.path, nil
}

// folder is the MediaStore of one download.
type folder struct {
	dir  string
	path string // of the file, once it is there
	err  error  // what the disk had against it
}

// Open implements [MediaStore].
func (*folder) Open(context.Context, string) (io.ReadCloser, MediaInfo, error) {
	return nil, MediaInfo{}, fs.ErrNotExist
}

// Create implements [MediaStore]. The name of info has gone through safeFilename.
func (d *folder) Create(_ context.Context, info MediaInfo, r io.Reader) (string, MediaInfo, error) {
	if d.err = os.MkdirAll(d.dir, 0o750); d.err != nil {
		return "", info, d.err
	}
	f, err := os.CreateTemp(d.dir, ".wxapi-*")
	if err != nil {
		d.err = err
		return "", info, err
	}
	src := &source{Reader: r}
	_, err = io.Copy(f, src)
	err = errors.Join(err, f.Close())
	if path := filepath.Join(d.dir, info.Filename); err == nil {
		err = os.Rename(f.Name(), path)
		d.path = path
	}
	if err != nil {
		if src.err == nil { // else it was the network
			d.err = err
		}
		return "", info, errors.Join(err, os.Remove(f.Name()))
	}
	return d.path, info, nil
}
