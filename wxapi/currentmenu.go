package wxapi

// GetCurrentMenu reads the menu in use, whether it was made by the API or on
// the console (获取自定义菜单配置), where more types of button can be had. Its
// shape differs from [GetMenu]'s.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Getting_Custom_Menu_Configurations.html
var GetCurrentMenu = define[GetCurrentMenuRequest, GetCurrentMenuResponse](Row{
	Name: "get_current_menu", Method: "GET", Path: "/cgi-bin/get_current_selfmenu_info", Body: Query, Retry: Read,
	Proof: []string{"is_menu_open"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Getting_Custom_Menu_Configurations.html",
})

// GetCurrentMenuRequest is empty.
type GetCurrentMenuRequest struct{}

// GetCurrentMenuResponse has the menu and whether it is shown.
type GetCurrentMenuResponse struct {
	IsMenuOpen   int          `json:"is_menu_open"` // 1 it is shown, 0 it is not
	SelfMenuInfo SelfMenuInfo `json:"selfmenu_info"`
}

// SelfMenuInfo has the first level of the menu.
type SelfMenuInfo struct {
	Button []CurrentButton `json:"button,omitempty"`
}

// CurrentButton is an entry of the menu's first level: one that does
// something, or one that opens others.
type CurrentButton struct {
	Name      string             `json:"name"`
	Type      string             `json:"type,omitempty"` // as in [Button], and text, img, photo, video, voice, news from the console
	Key       string             `json:"key,omitempty"`
	URL       string             `json:"url,omitempty"`
	Value     string             `json:"value,omitempty"` // the text, the media_id, or a video's URL
	AppID     string             `json:"appid,omitempty"`
	PagePath  string             `json:"pagepath,omitempty"`
	MediaID   string             `json:"media_id,omitempty"`
	ArticleID string             `json:"article_id,omitempty"`
	NewsInfo  *CurrentNews       `json:"news_info,omitempty"`
	SubButton *CurrentSubButtons `json:"sub_button,omitempty"`
}

// CurrentSubButtons are the entries below one.
type CurrentSubButtons struct {
	List []CurrentSubButton `json:"list"`
}

// CurrentSubButton is an entry of the second level.
type CurrentSubButton struct {
	Name      string       `json:"name"`
	Type      string       `json:"type,omitempty"`
	Key       string       `json:"key,omitempty"`
	URL       string       `json:"url,omitempty"`
	Value     string       `json:"value,omitempty"`
	AppID     string       `json:"appid,omitempty"`
	PagePath  string       `json:"pagepath,omitempty"`
	MediaID   string       `json:"media_id,omitempty"`
	ArticleID string       `json:"article_id,omitempty"`
	NewsInfo  *CurrentNews `json:"news_info,omitempty"`
}

// CurrentNews are the articles that an entry, or an automatic reply, shows.
type CurrentNews struct {
	List []CurrentArticle `json:"list"`
}

// CurrentArticle is one of them.
type CurrentArticle struct {
	Title      string `json:"title"`
	Author     string `json:"author,omitempty"`
	Digest     string `json:"digest,omitempty"`
	ShowCover  int    `json:"show_cover"`
	CoverURL   string `json:"cover_url,omitempty"`
	ContentURL string `json:"content_url,omitempty"`
	SourceURL  string `json:"source_url,omitempty"`
}
