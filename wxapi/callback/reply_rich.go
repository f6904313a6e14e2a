package callback

import (
	"fmt"
	"strconv"
)

// Video answers with a video; Title and Description may be empty.
type Video struct{ MediaID, Title, Description string }

// MsgType returns video.
func (Video) MsgType() string { return "video" }

// Check wants a MediaID.
func (r Video) Check() error { return needed("video", [2]string{"MediaID", r.MediaID}) }

func (r Video) write(x *xmlWriter) {
	x.open("Video")
	x.text("MediaId", r.MediaID)
	x.some("Title", r.Title)
	x.some("Description", r.Description)
	x.close("Video")
}

// Music answers with a link to music. All but ThumbMediaID may be empty.
type Music struct{ Title, Description, MusicURL, HQMusicURL, ThumbMediaID string }

// MsgType returns music.
func (Music) MsgType() string { return "music" }

// Check wants a ThumbMediaID, and web addresses.
func (r Music) Check() error {
	if err := needed("music", [2]string{"ThumbMediaID", r.ThumbMediaID}); err != nil {
		return err
	}
	return links("music", [2]string{"MusicURL", r.MusicURL}, [2]string{"HQMusicURL", r.HQMusicURL})
}

func (r Music) write(x *xmlWriter) {
	x.open("Music")
	x.some("Title", r.Title)
	x.some("Description", r.Description)
	// The page's table has MusicURL and its sample MusicUrl; it is the sample that works.
	x.some("MusicUrl", r.MusicURL)
	x.some("HQMusicUrl", r.HQMusicURL)
	x.text("ThumbMediaId", r.ThumbMediaID)
	x.close("Music")
}

// News answers with linked articles, at most Kind.NewsLimit of the kind it answers.
type News struct{ Articles []Article }

// Article is one article of a News. All but Title may be empty.
type Article struct{ Title, Description, PicURL, URL string }

// MsgType returns news.
func (News) MsgType() string { return "news" }

// Check wants 1 to MaxArticles articles with titles, and web addresses.
func (r News) Check() error {
	if n := len(r.Articles); n < 1 || n > MaxArticles {
		return &ReplyError{"news", "Articles", fmt.Sprintf("has %d articles, the limits are 1 and %d", n, MaxArticles)}
	}
	for i, a := range r.Articles {
		field := func(name, value string) [2]string { return [2]string{fmt.Sprintf("Articles[%d].%s", i, name), value} }
		if err := needed("news", field("Title", a.Title)); err != nil {
			return err
		}
		if err := links("news", field("PicURL", a.PicURL), field("URL", a.URL)); err != nil {
			return err
		}
	}
	return nil
}

func (r News) write(x *xmlWriter) {
	// ArticleCount must be the number of items, or nothing is delivered.
	x.bare("ArticleCount", strconv.Itoa(len(r.Articles)))
	x.open("Articles")
	for _, a := range r.Articles {
		x.open("item")
		x.text("Title", a.Title)
		x.text("Description", a.Description)
		x.text("PicUrl", a.PicURL)
		x.text("Url", a.URL)
		x.close("item")
	}
	x.close("Articles")
}

// some writes an element unless it would be empty.
func (x *xmlWriter) some(name, value string) {
	if cleanText(value) != "" {
		x.text(name, value)
	}
}
