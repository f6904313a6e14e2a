package wxapi

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// maxJSON is how long a JSON answer in place of a file can be.
const maxJSON = 64 << 10

// download reads the answer to a request for a file. That is the file, or JSON
// with a refusal or, for a video, the place where it is. Its Content-Type says
// nothing (refusals come as text/plain), so the bytes are looked at.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
func (k *call) download(ctx context.Context, resp *http.Response) (*object, error) {
	body := bufio.NewReaderSize(resp.Body, maxJSON+1)
	head, err := body.Peek(maxJSON + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, k.broken(ctx, err)
	}
	if text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\uFEFF"))); bytes.HasPrefix(text, []byte("{")) {
		switch {
		case len(head) <= maxJSON:
			return k.insteadOfFile(ctx, resp, head)
		case k.row.longJSON:
			whole, err := k.readAll(ctx, &http.Response{StatusCode: resp.StatusCode, Body: io.NopCloser(body)})
			if err != nil {
				return nil, err
			}
			return k.insteadOfFile(ctx, resp, whole)
		}
	}
	if !isFile(resp, head) {
		return nil, unproven(k.row, resp.StatusCode, "it is no file", head, k.secrets)
	}
	return k.store(ctx, resp, body, head)
}

// insteadOfFile reads JSON that came where a file was asked for: a refusal, the
// place where a video is, or material that is no file.
func (k *call) insteadOfFile(ctx context.Context, resp *http.Response, body []byte) (*object, error) {
	answer, err := k.judge(resp.StatusCode, body)
	if err != nil {
		return answer, err
	}
	link := cmp.Or(answer.text("video_url"), answer.text("down_url"))
	switch {
	case link == "" && proven(answer.without("video_url", "down_url"), k.row.Proof): // a link that is none proves nothing
		return answer, nil
	case link == "":
		return answer, unproven(k.row, resp.StatusCode, "it has neither a file nor a video_url", body, k.secrets)
	}
	file, err := k.video(ctx, link)
	if err != nil {
		return nil, err
	}
	// The link goes: it is over soon, and may carry a signature.
	rest := answer.without("video_url", "down_url")
	rest.members = append(rest.members, file.members...)
	return rest, nil
}

// isFile tells a file from a gateway's page. WeChat sends one with a
// Content-Disposition; without it we must recognise the bytes.
func isFile(resp *http.Response, head []byte) bool {
	if resp.StatusCode != http.StatusOK || len(head) == 0 {
		return false
	}
	if resp.Header.Get("Content-Disposition") != "" {
		return true
	}
	_, known := formatOf(head)
	kind, _, _ := strings.Cut(http.DetectContentType(head), "/")
	return known || kind != "text"
}

// store streams the file into the store and describes it.
func (k *call) store(ctx context.Context, resp *http.Response, body io.Reader, head []byte) (*object, error) {
	info := MediaInfo{ContentType: contentType(resp, head), Size: resp.ContentLength, Filename: k.filename(resp, head)}
	hash := sha256.New()
	src := &source{Reader: io.TeeReader(&limited{body, k.config.MaxDownload}, hash)}
	place, err := k.put(ctx, &info, src)
	switch {
	case errors.Is(src.err, errTooLarge):
		return nil, unproven(k.row, resp.StatusCode, "more than "+strconv.FormatInt(k.config.MaxDownload, 10)+" bytes", nil, nil)
	case src.err != nil:
		return nil, k.broken(ctx, src.err)
	case err != nil:
		return nil, k.broken(ctx, fmt.Errorf("media store: %w", err))
	}
	media := &object{members: []member{
		place,
		{"content_type", info.ContentType},
		{"size", json.Number(strconv.FormatInt(src.n, 10))},
		{"sha256", hex.EncodeToString(hash.Sum(nil))},
		{"filename", info.Filename},
	}}
	return &object{members: []member{{"media", media}}}, nil
}

// put is where the file goes: into the store, or without one into the answer.
func (k *call) put(ctx context.Context, info *MediaInfo, src *source) (member, error) {
	if k.config.Media == nil {
		data, err := io.ReadAll(src)
		return member{"base64", base64.StdEncoding.EncodeToString(data)}, err
	}
	ref, stored, err := k.config.Media.Create(ctx, *info, src)
	if err == nil && src.err == nil {
		if n, _ := src.Read(make([]byte, 1)); n > 0 {
			err = errors.New("it left a part of the file")
		}
	}
	info.Filename = cmp.Or(stored.Filename, info.Filename)
	return member{"dataref", ref}, err
}

// source counts what is read from it and remembers why reading failed, which a
// store may put into other words.
type source struct {
	io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func contentType(resp *http.Response, head []byte) string {
	if f, ok := formatOf(head); ok {
		return f.mime
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && !strings.HasPrefix(kind, "text/") {
		return kind
	}
	return "application/octet-stream"
}

// filename is the media_id with an extension. The name in the header is
// WeChat's own media_id again; all we take from it is the extension.
func (k *call) filename(resp *http.Response, head []byte) string {
	ext := ""
	if f, ok := formatOf(head); ok {
		ext = f.ext
	} else if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		ext = path.Ext(safeFilename(params["filename"]))
	}
	name := strings.TrimSuffix(safeFilename(k.wanted), ext)
	if name == "" {
		name = "media"
	}
	return name + ext
}
