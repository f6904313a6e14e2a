package wxsim

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
)

// upload is the part of a multipart body that is the file.
type upload struct {
	name, contentType string
	data              []byte
}

// parsedFile is what [exchange.file] found.
type parsedFile struct {
	upload
	err error
}

var errNoFile = errors.New("no part called media with a filename")

// file reads the part called media, once. WeChat refuses one that has no filename.
func (x *exchange) file() (upload, error) {
	if x.parsed == nil {
		file, err := x.readFile()
		x.parsed = &parsedFile{file, err}
	}
	return x.parsed.upload, x.parsed.err
}

func (x *exchange) readFile() (upload, error) {
	kind, params, err := mime.ParseMediaType(x.header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return upload{}, errNoFile
	}
	reader := multipart.NewReader(bytes.NewReader(x.body), params["boundary"])
	for {
		part, err := reader.NextPart()
		if err != nil {
			return upload{}, errNoFile
		}
		if part.FormName() != "media" || part.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return upload{}, errNoFile
		}
		return upload{part.FileName(), part.Header.Get("Content-Type"), data}, nil
	}
}

// describeUpload is what a [Call] shows of an uploaded file.
func describeUpload(x *exchange) []byte {
	file, err := x.file()
	if err != nil {
		return keepBody(nil)
	}
	return encode(map[string]any{"filename": file.name, "content_type": file.contentType, "size": len(file.data)})
}
