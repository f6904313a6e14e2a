package wxsim

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
)

// upload is a multipart body: the part that is the file, and the other fields.
type upload struct {
	name, contentType string
	data              []byte
	fields            map[string]string
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
	form := upload{fields: map[string]string{}}
	reader := multipart.NewReader(bytes.NewReader(x.body), params["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) && form.name != "" {
			return form, nil
		}
		if err != nil {
			return upload{}, errNoFile
		}
		data, err := io.ReadAll(part)
		switch {
		case err != nil:
			return upload{}, errNoFile
		case part.FormName() == "media" && part.FileName() != "":
			form.name, form.contentType, form.data = part.FileName(), part.Header.Get("Content-Type"), data
		default:
			form.fields[part.FormName()] = string(data)
		}
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
