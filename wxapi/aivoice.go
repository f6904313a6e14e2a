package wxapi

const aiDoc = "https://developers.weixin.qq.com/doc/offiaccount/Intelligent_Interface/AI_Open_API.html"

// AddVoiceForText has WeChat write down what is said in a recording (提交语音).
// [GetVoiceText] has the text, for about 10 seconds.
//
// It takes an mp3 of one channel at 16 kHz, of 1 MB at most.
//
// https://developers.weixin.qq.com/doc/offiaccount/Intelligent_Interface/AI_Open_API.html
var AddVoiceForText = define[AddVoiceForTextRequest, AddVoiceForTextResponse](Row{
	Name: "add_voice_for_text", Method: "POST", Path: "/cgi-bin/media/voice/addvoicetorecofortext", Body: Upload,
	Query: []string{"voice_id", "lang"}, Fixed: map[string]string{"format": "mp3"}, Doc: aiDoc,
	attach: func(*object) mediaRule { return mediaRule{"media", 1 << 20, []string{".mp3"}} },
})

// AddVoiceForTextRequest has the recording, an id of your own for it, and the
// language; without one it is zh_CN.
type AddVoiceForTextRequest struct {
	VoiceID  string `json:"voice_id" wx:"required"`
	Lang     string `json:"lang,omitempty" wx:"one=zh_CN|en_US"`
	Filename string `json:"filename,omitempty"` // its extension must fit; directories are cut off
	Media    Media  `json:"media" wx:"required"`
}

// AddVoiceForTextResponse is empty.
type AddVoiceForTextResponse struct{}

// GetVoiceText tells what was said in a recording of [AddVoiceForText]
// (获取语音识别结果). Ask until there is something.
//
// https://developers.weixin.qq.com/doc/offiaccount/Intelligent_Interface/AI_Open_API.html
var GetVoiceText = define[GetVoiceTextRequest, GetVoiceTextResponse](Row{
	Name: "get_voice_text", Method: "POST", Path: "/cgi-bin/media/voice/queryrecoresultfortext", Body: Query, Retry: Read,
	Proof: []string{"result"}, Doc: aiDoc,
})

// GetVoiceTextRequest names the recording.
type GetVoiceTextRequest struct {
	VoiceID string `json:"voice_id" wx:"required"`
	Lang    string `json:"lang,omitempty" wx:"one=zh_CN|en_US"`
}

// GetVoiceTextResponse has the text.
type GetVoiceTextResponse struct {
	Result string `json:"result"`
}

// TranslateContent translates between Chinese and English (微信翻译), up to 600
// bytes at a time.
//
// https://developers.weixin.qq.com/doc/offiaccount/Intelligent_Interface/AI_Open_API.html
var TranslateContent = define[TranslateContentRequest, TranslateContentResponse](Row{
	Name: "translate_content", Method: "POST", Path: "/cgi-bin/media/voice/translatecontent", Body: PlainText, Retry: Read,
	Proof: []string{"to_content"}, Doc: aiDoc,
})

// TranslateContentRequest has the text and the languages, which differ.
type TranslateContentRequest struct {
	LFrom   string `json:"lfrom" wx:"required,one=zh_CN|en_US"`
	LTo     string `json:"lto" wx:"required,one=zh_CN|en_US"`
	Content string `json:"content" wx:"required,max=600"`
}

// TranslateContentResponse has both texts.
type TranslateContentResponse struct {
	FromContent string `json:"from_content"`
	ToContent   string `json:"to_content"`
}
