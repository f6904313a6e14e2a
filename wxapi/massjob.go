package wxapi

// DeleteMassMessage takes articles or a video back that were sent to many
// (删除群发). Who has them on the phone sees that they are deleted.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var DeleteMassMessage = define[DeleteMassMessageRequest, DeleteMassMessageResponse](Row{
	Name: "delete_mass_message", Method: "POST", Path: "/cgi-bin/message/mass/delete", Doc: massDoc,
	checks: checkMassDelete,
})

// DeleteMassMessageRequest names a message, or an article by its URL. ArticleIdx
// is one article, from 1; without it all of the message's are deleted.
type DeleteMassMessageRequest struct {
	MsgID      ID     `json:"msg_id,omitempty" wx:"id"`
	ArticleIdx int    `json:"article_idx,omitempty"`
	URL        string `json:"url,omitempty"`
}

// DeleteMassMessageResponse is empty.
type DeleteMassMessageResponse struct{}

func checkMassDelete(in *object) *RequestError {
	if in.whole("msg_id") == 0 && in.text("url") == "" {
		return refuse("msg_id", "is missing; an article's url would do as well")
	}
	return within("article_idx", 0, 8)(in)
}

// GetMassMessageStatus tells how far a mass message is: SENDING, SEND_SUCCESS,
// SEND_FAIL or DELETE.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var GetMassMessageStatus = define[GetMassMessageStatusRequest, GetMassMessageStatusResponse](Row{
	Name: "get_mass_message_status", Method: "POST", Path: "/cgi-bin/message/mass/get", Retry: Read,
	Proof: []string{"msg_status"}, Doc: massDoc,
})

// GetMassMessageStatusRequest names the message.
type GetMassMessageStatusRequest struct {
	MsgID ID `json:"msg_id" wx:"required,id"`
}

// GetMassMessageStatusResponse has the message's state.
type GetMassMessageStatusResponse struct {
	MsgID     ID     `json:"msg_id"`
	MsgStatus string `json:"msg_status"`
}

// GetMassSpeed tells how fast mass messages go out.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var GetMassSpeed = define[GetMassSpeedRequest, GetMassSpeedResponse](Row{
	Name: "get_mass_speed", Method: "POST", Path: "/cgi-bin/message/mass/speed/get", Retry: Read,
	Proof: []string{"speed"}, Doc: massDoc,
})

// GetMassSpeedRequest is empty.
type GetMassSpeedRequest struct{}

// GetMassSpeedResponse has the level, as in [SetMassSpeedRequest], and the real
// speed in 10,000 a minute.
type GetMassSpeedResponse struct {
	Speed     int   `json:"speed"`
	RealSpeed int64 `json:"realspeed"`
}

// SetMassSpeed sets how fast mass messages go out.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var SetMassSpeed = define[SetMassSpeedRequest, SetMassSpeedResponse](Row{
	Name: "set_mass_speed", Method: "POST", Path: "/cgi-bin/message/mass/speed/set", Doc: massDoc,
})

// SetMassSpeedRequest has the level: 0 is 800,000 a minute, 1 600,000, 2
// 450,000, 3 300,000, 4 100,000.
type SetMassSpeedRequest struct {
	Speed int `json:"speed" wx:"required,one=0|1|2|3|4"`
}

// SetMassSpeedResponse is empty.
type SetMassSpeedResponse struct{}

// UploadMassVideo makes an uploaded video, with words, ready for a mass message.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var UploadMassVideo = define[UploadMassVideoRequest, UploadMassVideoResponse](Row{
	Name: "upload_mass_video", Method: "POST", Path: "/cgi-bin/media/uploadvideo", Proof: []string{"media_id"}, Doc: massDoc,
})

// UploadMassVideoRequest names the video, temporary or permanent.
type UploadMassVideoRequest struct {
	MediaID     string `json:"media_id" wx:"required"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

// UploadMassVideoResponse has the id for an mpvideo.
type UploadMassVideoResponse struct {
	Type      string `json:"type"`
	MediaID   string `json:"media_id"`
	CreatedAt int64  `json:"created_at"`
}
