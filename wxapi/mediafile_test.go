package wxapi_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wxbridge/wxbridge/wxapi"
)

func TestUploadMediaFile(t *testing.T) {
	cat := filepath.Join(t.TempDir(), "猫 cat.PNG")
	if err := os.WriteFile(cat, []byte(png), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPlatform(t, says(200, `{"type":"image","media_id":"MEDIA_ID","created_at":1672500000}`))
	got, err := p.client(t).UploadMediaFile(t.Context(), "image", cat)
	if err != nil || got.MediaID != "MEDIA_ID" {
		t.Fatalf("%+v, %v", got, err)
	}
	calls, _ := p.seen()
	if body := string(calls[0].Body); !strings.Contains(body, png) || !strings.Contains(body, `filename="_ cat.PNG"`) {
		t.Errorf("%q arrived", body)
	}
}

// What cannot be uploaded is found before anybody is called, and no more is
// read than it takes to find out.
func TestUploadMediaFromRefused(t *testing.T) {
	lost := errors.New("the disk is gone")
	p := newPlatform(t, ok)
	client := p.client(t)
	for _, test := range []struct {
		typ, filename string
		from          io.Reader
		path, problem string
	}{
		{"image", "cat.png", strings.NewReader(""), "media", "is empty"},
		{"image", "cat.exe", strings.NewReader(png), "filename", "ends in .exe"},
		{"image", "", strings.NewReader("#!AMR\n"), "media.base64", "is a .amr file"},
		{"thumb", "", endless{}, "media", "longer than 65536 bytes"},
		{"picture", "", endless{}, "type", "known are"},
	} {
		_, err := client.UploadMediaFrom(t.Context(), test.typ, test.filename, test.from)
		refused, isRequest := errors.AsType[*wxapi.RequestError](err)
		if !isRequest || refused.Path != test.path || !strings.Contains(err.Error(), test.problem) || refused.Verb != "upload_media" {
			t.Errorf("%s %s: %v", test.typ, test.filename, err)
		}
	}
	if _, err := client.UploadMediaFrom(t.Context(), "image", "", io.MultiReader(strings.NewReader(png), iotest.ErrReader(lost))); !errors.Is(err, lost) {
		t.Errorf("a broken reader: %v", err)
	}
	if _, err := client.UploadMediaFile(t.Context(), "image", filepath.Join(t.TempDir(), "none.png")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := client.UploadMediaFile(t.Context(), "image", t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder: %v", err)
	}
	if calls, _ := p.seen(); len(calls) != 0 {
		t.Errorf("%d calls", len(calls))
	}
}

// endless never stops giving bytes.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// The name is ours: neither an id nor a header leads out of the folder, hides
// the file or makes it something that it is not.
func TestDownloadMediaNames(t *testing.T) {
	for _, test := range []struct{ id, header, body, want string }{
		{"MEDIA-ID_1", "", png, "MEDIA-ID_1.png"},
		{"MEDIA_ID", `attachment; filename="../../etc/cron.d/evil.sh"`, png, "MEDIA_ID.png"},
		{"MEDIA_ID", `attachment; filename="/evil"`, "???", "MEDIA_ID"},
		{"../../etc/passwd", "", png, "passwd.png"},
		{`..\..\passwd`, "", png, "passwd.png"},
		{"..", "", png, "media.png"},
		{".hidden", "", png, "hidden.png"},
		{"a\x00b/c\nd", "", png, "c_d.png"},
		{strings.Repeat("m", 300), "", png, strings.Repeat("m", 100) + ".png"},
	} {
		p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
			if test.header != "" {
				w.Header().Set("Content-Disposition", test.header)
			}
			fmt.Fprint(w, test.body)
		})
		store := &memoryMedia{}
		dir := filepath.Join(t.TempDir(), "made", "on demand")
		path, err := p.client(t, func(c *wxapi.Config) { c.Media = store }).DownloadMedia(t.Context(), test.id, dir)
		if err != nil || path != filepath.Join(dir, test.want) {
			t.Errorf("%.40q: %q, %v", test.id, path, err)
			continue
		}
		if data, err := os.ReadFile(path); string(data) != test.body || len(names(t, dir)) != 1 || len(store.files) != 0 {
			t.Errorf("%.40q: %q, %v, %v", test.id, data, names(t, dir), err)
		}
	}
}

// A second download replaces the first, also where somebody put a link.
func TestDownloadMediaAgain(t *testing.T) {
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "ID.png")); err != nil {
		t.Fatal(err)
	}
	client := newPlatform(t, says(200, png)).client(t)
	for range 2 {
		path, err := client.DownloadMedia(t.Context(), "ID", dir)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(path); string(data) != png {
			t.Errorf("%q, %v", data, err)
		}
	}
	if data, _ := os.ReadFile(elsewhere); string(data) != "mine" || len(names(t, dir)) != 1 {
		t.Errorf("the link led to %q; %v", data, names(t, dir))
	}
}

// Of a download that fails nothing stays, and the error says whose fault it was.
func TestDownloadMediaFails(t *testing.T) {
	long := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, png, strings.Repeat("x", 1<<20)) })
	cut := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2000000")
		fmt.Fprint(w, png, strings.Repeat("x", 1<<20))
	})
	for name, test := range map[string]struct {
		most   int64
		answer http.HandlerFunc
		is     func(error) bool
	}{
		"WeChat's no": {0, says(200, `{"errcode":40007,"errmsg":"invalid media_id"}`), func(err error) bool {
			refused, ok := errors.AsType[*wxapi.Error](err)
			return ok && refused.Code == 40007
		}},
		"breaks off": {0, cut, func(err error) bool {
			lost, ok := errors.AsType[*wxapi.TransportError](err)
			return ok && lost.Written
		}},
		"too long": {100_000, long, func(err error) bool {
			doubt, ok := errors.AsType[*wxapi.AnswerError](err)
			return ok && strings.Contains(doubt.Reason, "more than 100000 bytes")
		}},
		"no link": {0, says(200, `{"video_url":5}`), func(err error) bool { _, ok := errors.AsType[*wxapi.AnswerError](err); return ok }},
		"a page":  {0, says(502, "<html>Bad Gateway"), func(err error) bool { _, ok := errors.AsType[*wxapi.AnswerError](err); return ok }},
	} {
		dir := t.TempDir()
		client := newPlatform(t, test.answer).client(t, func(c *wxapi.Config) { c.MaxDownload = test.most })
		if path, err := client.DownloadMedia(t.Context(), "ID", dir); path != "" || !test.is(err) || len(names(t, dir)) != 0 {
			t.Errorf("%s: %q, %v, %v", name, path, err, names(t, dir))
		}
	}

	p := newPlatform(t, says(200, png))
	if _, err := p.client(t).DownloadMedia(t.Context(), "", t.TempDir()); !strings.Contains(fmt.Sprint(err), "media_id: is empty") {
		t.Errorf("no id: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := p.client(t).DownloadMedia(t.Context(), "ID", filepath.Join(dir, "file", "below"))
	if _, isPath := errors.AsType[*fs.PathError](err); !isPath || !strings.HasPrefix(err.Error(), "wxapi: get_media: ") {
		t.Errorf("no folder: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "ID.png", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client(t).DownloadMedia(t.Context(), "ID", dir); err == nil || len(names(t, dir)) != 2 {
		t.Errorf("a folder in the way: %v, %v", err, names(t, dir))
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
