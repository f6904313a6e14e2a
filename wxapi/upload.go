package wxapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/textproto"
	"path"
	"strings"
)

// checkUpload checks what can be known before the file is fetched.
func checkUpload(in *object, rule mediaRule) *RequestError {
	v, _ := in.get("media")
	media, ok := v.(*object)
	if !ok {
		return refuse("media", "is missing")
	}
	_, inPlace := media.get("base64")
	switch {
	case inPlace == (media.text("dataref") != ""):
		return refuse("media", "must have either base64 or dataref")
	case inPlace:
		data, err := base64.StdEncoding.DecodeString(media.text("base64"))
		if err != nil {
			return refuse("media.base64", "is not base64 of the standard alphabet, with padding")
		}
		if problem := rule.check(data, "media.base64"); problem != nil {
			return problem
		}
	}
	if ext := path.Ext(safeFilename(in.text("filename"))); ext != "" && !rule.takes(ext) {
		return refuse("filename", "ends in %s, but this type takes %s", ext, strings.Join(rule.formats, ", "))
	}
	return nil
}

// check holds a file against the rule: what WeChat would refuse with 40005 to
// 40012, 44001 or 45001, found out before the bytes travel.
func (m mediaRule) check(data []byte, at string) *RequestError {
	if problem := m.checkSize(int64(len(data)), at); problem != nil {
		return problem
	}
	switch f, known := formatOf(data); {
	case known && !m.takes(f.ext):
		return refuse(at, "is a %s file, but this type takes %s", f.ext, strings.Join(m.formats, ", "))
	case !known && !m.takesStrange():
		return refuse(at, "begins with % x, which is no file of %s, and this type takes nothing else",
			data[:min(len(data), magicLength)], strings.Join(m.formats, ", "))
	}
	return nil
}

func (m mediaRule) checkSize(size int64, at string) *RequestError {
	switch {
	case size == 0:
		return refuse(at, "is empty")
	case size > m.bytes:
		return refuse(at, "has %d bytes, at most %d are allowed", size, m.bytes)
	}
	return nil
}

// multipart puts the file, and the data that is neither in the query nor the
// file, into the form WeChat wants. It is built in memory: WeChat refuses a
// form without Content-Length (41005), and no file is larger than 10 MB.
func (k *call) multipart(rest, in *object, r *request) error {
	rule, data := k.row.attach(in), k.upload
	var form bytes.Buffer
	form.Grow(len(data) + 4<<10) // else it doubles on the way, and the file is there three times
	w := multipart.NewWriter(&form)
	for _, m := range rest.without("media", "filename", freshField).members {
		text, ok := scalar(m.value)
		if !ok {
			text = string(encode(m.value))
		}
		if err := w.WriteField(m.key, text); err != nil {
			return &RequestError{Verb: k.row.Name, Path: m.key, Problem: err.Error()}
		}
	}
	f, known := formatOf(data)
	name := safeFilename(in.text("filename"))
	if path.Ext(name) == "" { // WeChat goes by the extension (40005)
		name = cmp.Or(name, "media")
		if known {
			name += f.ext
		} else {
			name += rule.formats[0]
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		// Neither name has a character that %q would change.
		"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, rule.part, name)},
		"Content-Type":        {cmp.Or(f.mime, "application/octet-stream")},
	})
	if err == nil {
		_, err = part.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return &RequestError{Verb: k.row.Name, Path: "media", Problem: err.Error()}
	}
	r.header.Set("Content-Type", w.FormDataContentType())
	r.body = form.Bytes()
	return nil
}

// file reads the file from where the data says it is.
func (k *call) file(ctx context.Context, in *object, rule mediaRule) ([]byte, error) {
	v, _ := in.get("media")
	media := v.(*object)
	var data []byte
	at := "media.base64"
	if ref := media.text("dataref"); ref != "" {
		at = "media.dataref"
		var err error
		if data, err = k.stored(ctx, ref, rule); err != nil {
			return nil, err
		}
	} else {
		data, _ = base64.StdEncoding.DecodeString(media.text("base64")) // checked before
	}
	problem := rule.check(data, at)
	sum := sha256.Sum256(data)
	if want := media.text("sha256"); problem == nil && want != "" && !strings.EqualFold(want, hex.EncodeToString(sum[:])) {
		problem = refuse("media.sha256", "is not that of the file")
	}
	if problem != nil {
		problem.Verb = k.row.Name
		return nil, problem
	}
	return data, nil
}

// stored reads a file from the store, and one byte more than is allowed; of one
// whose size is known to be too much, nothing. A store that fails is like a
// network that does: nothing was sent.
func (k *call) stored(ctx context.Context, ref string, rule mediaRule) ([]byte, error) {
	const at = "media.dataref"
	if k.config.Media == nil {
		return nil, &RequestError{Verb: k.row.Name, Path: at, Problem: "there is no media store"}
	}
	ctx, cancel := withTimeout(ctx, k.config.UploadTimeout)
	defer cancel()
	r, info, err := k.config.Media.Open(ctx, ref)
	if err != nil {
		return nil, k.notStored(err)
	}
	defer r.Close()
	if info.Size > rule.bytes {
		problem := rule.checkSize(info.Size, at)
		problem.Verb = k.row.Name
		return nil, problem
	}
	data, err := io.ReadAll(io.LimitReader(r, rule.bytes+1))
	if err != nil {
		return nil, k.notStored(err)
	}
	return data, nil
}

// notStored is the error of a store that does not give a file: it is not there,
// or its bytes are not what was stored, which no repetition mends; or the store
// fails, which one may.
func (k *call) notStored(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &RequestError{
			Verb: k.row.Name, Path: "media.dataref",
			Problem: fmt.Sprintf("there is no such file, or no longer (%v)", k.secrets.cause(err)),
		}
	}
	return &TransportError{Verb: k.row.Name, Err: fmt.Errorf("media store: %w", k.secrets.cause(err))}
}
