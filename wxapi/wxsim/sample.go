package wxsim

import (
	"maps"
	"slices"
	"time"
)

// Files for media that nobody uploaded: an image, voice or video that a follower sends has a media_id, and
// get_media must answer it.
var samples = map[string][]byte{
	"image": pixel,
	"thumb": []byte("\xff\xd8\xff\xd9"),
	"voice": []byte("#!AMR\n"),
	"video": []byte("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom"),
}

// pixel is the smallest picture: a PNG of one point.
var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8\x00\x00\x00\x00IEND\xaeB`\x82")

// mediaElements are the elements of a push that name files of the follower's, and those files' types.
var mediaElements = map[string]map[string]string{
	"image":      {"MediaId": "image"},
	"voice":      {"MediaId": "voice"},
	"video":      {"MediaId": "video", "ThumbMediaId": "thumb"},
	"shortvideo": {"MediaId": "video", "ThumbMediaId": "thumb"},
}

// sent makes sure that there is a file behind a media_id that a follower's message names.
func (p *Platform) sent(id, typ string, now time.Time) {
	if p.media.get(id, now) == nil {
		p.media.put(id, &medium{typ: typ, data: samples[typ], expires: now.Add(p.cfg.MediaLife)}, now)
	}
}

// addMedia gives a picture, voice or video that names no file one, so that get_media has something to get.
func (p *Platform) addMedia(l elementList, kind, base string) elementList {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	for _, name := range slices.Sorted(maps.Keys(mediaElements[kind])) {
		id := l.text(name)
		if id == "" {
			id = newMediaID()
			l = append(l.without(elementList{{name: name}}), element{name, encode(id)})
		}
		p.sent(id, mediaElements[kind][name], now)
		if _, given := l.get("PicUrl"); kind == "image" && !given && base != "" {
			l = append(l, element{"PicUrl", encode(base + "/_sim/files/" + id)})
		}
	}
	return l
}
