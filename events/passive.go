package events

import "github.com/wxbridge/wxbridge/wxapi/callback"

// Passive says whether the reply has a passive form, that is whether it can
// leave in the response to the callback. What has none is a custom message.
func (r Reply) Passive() bool {
	switch r.MsgType {
	case "text", "image", "voice", "video", "music", "news", MsgTransfer:
		return true
	}
	return false
}

// Form is the passive form of a valid reply, nil if it has none. Articles past
// the limit are cut, because WeChat shows none of a longer list. MsgType alone
// chooses: some libraries send the objects of other types along, empty.
func (r Reply) Form(articles int) callback.Reply {
	switch {
	case r.MsgType == "text" && r.Text != nil:
		return callback.Text{Content: r.Text.Content}
	case r.MsgType == "image" && r.Image != nil:
		return callback.Image{MediaID: r.Image.MediaID}
	case r.MsgType == "voice" && r.Voice != nil:
		return callback.Voice{MediaID: r.Voice.MediaID}
	case r.MsgType == "video" && r.Video != nil:
		return callback.Video{MediaID: r.Video.MediaID, Title: r.Video.Title, Description: r.Video.Description}
	case r.MsgType == "music" && r.Music != nil:
		return callback.Music{
			Title: r.Music.Title, Description: r.Music.Description,
			MusicURL: r.Music.MusicURL, HQMusicURL: r.Music.HQMusicURL, ThumbMediaID: r.Music.ThumbMediaID,
		}
	case r.MsgType == "news" && r.News != nil:
		var news callback.News
		for _, a := range r.News.Articles[:min(articles, len(r.News.Articles))] {
			news.Articles = append(news.Articles, callback.Article{Title: a.Title, Description: a.Description, PicURL: a.PicURL, URL: a.URL})
		}
		return news
	case r.MsgType == MsgTransfer && r.CustomerService != nil:
		return callback.TransferCustomerService{KfAccount: r.CustomerService.KfAccount}
	case r.MsgType == MsgTransfer:
		return callback.TransferCustomerService{}
	}
	return nil
}
