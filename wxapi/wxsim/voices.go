package wxsim

import (
	"strings"
	"unicode/utf8"
)

func init() {
	stateful(endpoint{name: "add_voice_for_text", method: "POST", path: "/cgi-bin/media/voice/addvoicetorecofortext", body: bodyFile, run: addVoice})
	stateful(endpoint{name: "get_voice_text", method: "POST", path: "/cgi-bin/media/voice/queryrecoresultfortext", run: voiceText})
	stateful(endpoint{name: "translate_content", method: "POST", path: "/cgi-bin/media/voice/translatecontent", run: translate})
}

// spoken is what media/voice/addvoicetorecofortext takes.
var spoken = mediaType{1 << 20, 40010, []string{".mp3"}, []string{"audio/mp3"}}

// addVoice takes a recording. The simulator has no ears: what was said is the id of the voice.
// https://developers.weixin.qq.com/doc/offiaccount/Intelligent_Interface/AI_Open_API.html
func addVoice(p *Platform, x *exchange) answer {
	id := x.query.Get("voice_id")
	file, err := x.file()
	switch {
	case id == "" || x.query.Get("format") != "mp3":
		return failure(40097)
	case err != nil:
		return failure(41005)
	}
	if code := spoken.takes(file); code != 0 {
		return failure(code)
	}
	if p.voices == nil {
		p.voices = map[string]string{}
	}
	p.voices[id] = "voice " + id
	return ok()
}

func voiceText(p *Platform, x *exchange) answer {
	text, known := p.voices[x.query.Get("voice_id")]
	if !known {
		return failure(40097)
	}
	return object(map[string]any{"result": text})
}

const maxTranslated = 600 // bytes

// translate knows no languages: it says which one it would be.
func translate(_ *Platform, x *exchange) answer {
	from, to, text := x.query.Get("lfrom"), x.query.Get("lto"), strings.TrimSpace(string(x.body))
	switch {
	case from == "" || to == "" || from == to || !utf8.ValidString(text):
		return failure(40097)
	case text == "":
		return failure(44002)
	case len(text) > maxTranslated:
		return failure(45002)
	}
	return object(map[string]any{"from_content": text, "to_content": to + ": " + text})
}
