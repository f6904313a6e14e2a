package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// File is a file that the bridge has put into the object store: what stands as
// media in the data of an inbound event.
type File struct {
	// DataRef is where the file is for 3 days: nats-object://<bucket>/<name>.
	DataRef string `json:"dataref"`
	// ContentType is what the bytes are, whatever WeChat called them.
	ContentType string `json:"content_type"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// SHA256 is in hexadecimal.
	SHA256 string `json:"sha256"`
	// Filename is the MediaId that was fetched, with an extension that fits the bytes.
	Filename string `json:"filename"`
}

// FetchVerb is the verb that fetches the file of an inbound event.
const FetchVerb = "get_media"

// mediaKey is the one name in an inbound event's data that is not WeChat's. All
// of WeChat's begin with a capital, or are not this.
const mediaKey = "media"

// NewFetch makes the event that asks on Prefix.Subject(Call, FetchVerb) for the
// file of a media_id. Who has not begun with it by expires must not begin.
func NewFetch(id, appID, mediaID string, at, expires time.Time) (cloudevents.Event, error) {
	e, err := NewCommand(FetchVerb, id, Source(appID), at, struct {
		MediaID string `json:"media_id"`
	}{mediaID})
	if err == nil {
		e.SetExtension(extExpiry, expires.UTC().Format(deadlineFormat))
	}
	return e, err
}

// Fetched reads the answer to what NewFetch asks for.
func Fetched(answer []byte) (File, error) {
	var result Result
	if err := json.Unmarshal(answer, &result); err != nil {
		return File{}, fmt.Errorf("answer of %s: %w", FetchVerb, err)
	}
	if result.Outcome != ResultDone {
		return File{}, fmt.Errorf("%s: %s, class %s, errcode %d: %s", FetchVerb, result.Outcome, result.Class, result.ErrCode, result.ErrMsg)
	}
	var response struct {
		Media File `json:"media"`
	}
	if err := json.Unmarshal(result.Response, &response); err != nil {
		return File{}, fmt.Errorf("answer of %s: %w", FetchVerb, err)
	}
	if response.Media.DataRef == "" {
		return File{}, fmt.Errorf("answer of %s: it has no dataref", FetchVerb)
	}
	return response.Media, nil
}

// AddFile puts a file into the data of an inbound event, as the last of its
// elements.
func AddFile(e *cloudevents.Event, f File) error {
	encoded, err := marshal(f)
	if err != nil {
		return err
	}
	data := bytes.TrimRight(e.DataEncoded, " \t\r\n")
	key := `"` + mediaKey + `":`
	if !isObject(data) || len(data) == len("{}") || bytes.Contains(data, []byte(key)) {
		return errors.New("the event's data take no " + mediaKey)
	}
	data = append(data[:len(data)-1:len(data)-1], ',')
	e.DataEncoded = append(append(append(data, key...), encoded...), '}')
	return nil
}

// File is the file that came with the event, if it was fetched at its arrival
// (WX_MEDIA_FETCH). Otherwise get_media gets it by the MediaId.
func (in InboundEvent) File() (f File, ok bool) {
	var data struct {
		Media File `json:"media"`
	}
	if json.Unmarshal(in.Data, &data) != nil || data.Media.DataRef == "" {
		return File{}, false
	}
	return data.Media, true
}
