package wxapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// video fetches a video from the URL in WeChat's answer, without any
// credentials and without following it elsewhere: a redirect is no file, and
// what it names might be anything.
func (k *call) video(ctx context.Context, from string) (*object, error) {
	doubtful := func(status int, reason string) (*object, error) {
		return nil, unproven(k.row, status, reason, nil, nil)
	}
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return doubtful(http.StatusOK, "its video_url is no plain http or https URL")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return doubtful(http.StatusOK, "its video_url is no plain http or https URL")
	}
	transport := guarded(k.inside(ctx), nil)
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if errors.Is(err, errInside) {
		return doubtful(http.StatusOK, "its video_url leads to an address that is not public")
	}
	if err != nil {
		return nil, k.broken(ctx, err)
	}
	defer resp.Body.Close()
	body := bufio.NewReaderSize(resp.Body, 512)
	head, err := body.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, k.broken(ctx, err)
	}
	if !isFile(resp, head) {
		return nil, unproven(k.row, resp.StatusCode, "what the video_url leads to is no file", head, k.secrets)
	}
	return k.store(ctx, resp, body, head)
}
