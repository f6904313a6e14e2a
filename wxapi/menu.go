package wxapi

// CreateMenu replaces the account's menu (自定义菜单). Phones show the new one
// after five minutes at the latest, or when the user follows anew.
//
// A menu has one to three entries of at most 16 bytes, each with up to five
// entries of at most 60 bytes below it. The limit is 100 new menus a day.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html
var CreateMenu = define[CreateMenuRequest, CreateMenuResponse](Row{
	Name: "create_menu", Method: "POST", Path: "/cgi-bin/menu/create",
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html",
	checks: checkMenu,
})

// CreateMenuRequest has the first level of the menu.
type CreateMenuRequest struct {
	Button []Button `json:"button" wx:"required,items=3"`
}

// Button is an entry of the menu's first level: either one that does
// something, as its Type says, or one that opens the entries of SubButton.
type Button struct {
	Type      string `json:"type,omitempty" wx:"one=click|view|miniprogram|scancode_push|scancode_waitmsg|pic_sysphoto|pic_photo_or_album|pic_weixin|location_select|media_id|view_limited|article_id|article_view_limited"`
	Name      string `json:"name" wx:"required,max=16"`
	Key       string `json:"key,omitempty" wx:"max=128"`  // of click, scancode_*, pic_*, location_select
	URL       string `json:"url,omitempty" wx:"max=1024"` // of view; of miniprogram for phones that can't open one
	AppID     string `json:"appid,omitempty"`             // of miniprogram
	PagePath  string `json:"pagepath,omitempty"`          // of miniprogram
	MediaID   string `json:"media_id,omitempty"`          // of media_id and view_limited: permanent material
	ArticleID string `json:"article_id,omitempty"`        // of article_id and article_view_limited: a published article

	SubButton []SubButton `json:"sub_button,omitempty" wx:"items=5"`
}

// SubButton is an entry of the second level, which is the last.
type SubButton struct {
	Type      string `json:"type" wx:"required,one=click|view|miniprogram|scancode_push|scancode_waitmsg|pic_sysphoto|pic_photo_or_album|pic_weixin|location_select|media_id|view_limited|article_id|article_view_limited"`
	Name      string `json:"name" wx:"required,max=60"`
	Key       string `json:"key,omitempty" wx:"max=128"`
	URL       string `json:"url,omitempty" wx:"max=1024"`
	AppID     string `json:"appid,omitempty"`
	PagePath  string `json:"pagepath,omitempty"`
	MediaID   string `json:"media_id,omitempty"`
	ArticleID string `json:"article_id,omitempty"`

	SubButton []any `json:"sub_button,omitempty"` // always empty: get_menu answers one everywhere
}

// CreateMenuResponse is empty.
type CreateMenuResponse struct{}

// GetMenu reads the menu that was made with [CreateMenu], and the personalised
// ones. One that was made on the console is only found by [GetCurrentMenu].
//
// When there is none WeChat answers 46003; that is no error here, but an
// answer without a Menu.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Querying_Custom_Menus.html
var GetMenu = define[GetMenuRequest, GetMenuResponse](Row{
	Name: "get_menu", Method: "GET", Path: "/cgi-bin/menu/get", Body: Query, Retry: Read,
	Proof: []string{"menu"}, Classes: map[int]Class{46003: ClassOK},
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Querying_Custom_Menus.html",
})

// GetMenuRequest is empty.
type GetMenuRequest struct{}

// GetMenuResponse has the default menu, nil when there is none, and the
// personalised ones, newest first.
type GetMenuResponse struct {
	Menu            *Menu             `json:"menu,omitempty"`
	ConditionalMenu []ConditionalMenu `json:"conditionalmenu,omitempty"`
}

// Menu is the default menu. It has a MenuID only beside personalised ones.
type Menu struct {
	Button []Button `json:"button"`
	MenuID int64    `json:"menuid,omitempty"`
}

// ConditionalMenu is a personalised menu and whom it is for.
type ConditionalMenu struct {
	Button    []Button    `json:"button"`
	MatchRule AppliedRule `json:"matchrule"`
	MenuID    int64       `json:"menuid"`
}

// AppliedRule is a [MatchRule] as WeChat reads it back: with numbers, and the
// tag as group_id. Sex and the places are of rules from before 2018.
type AppliedRule struct {
	GroupID            int64  `json:"group_id,omitempty"`
	TagID              int64  `json:"tag_id,omitempty"`
	ClientPlatformType int    `json:"client_platform_type,omitempty"`
	Language           string `json:"language,omitempty"`
	Sex                int    `json:"sex,omitempty"`
	Country            string `json:"country,omitempty"`
	Province           string `json:"province,omitempty"`
	City               string `json:"city,omitempty"`
}

// DeleteMenu removes the account's menu and all personalised ones.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Deleting_Custom-Defined_Menu.html
var DeleteMenu = define[DeleteMenuRequest, DeleteMenuResponse](Row{
	Name: "delete_menu", Method: "GET", Path: "/cgi-bin/menu/delete", Body: Query,
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Deleting_Custom-Defined_Menu.html",
})

// DeleteMenuRequest is empty.
type DeleteMenuRequest struct{}

// DeleteMenuResponse is empty.
type DeleteMenuResponse struct{}

// CreateConditionalMenu adds a menu for some of the followers (个性化菜单).
// Of those whose rule fits, the newest is shown, and without one the default
// menu, which must be there (65303).
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
var CreateConditionalMenu = define[CreateConditionalMenuRequest, CreateConditionalMenuResponse](Row{
	Name: "create_conditional_menu", Method: "POST", Path: "/cgi-bin/menu/addconditional",
	Proof: []string{"menuid"}, Doc: conditionalDoc,
	checks: checkConditionalMenu,
})

const conditionalDoc = "https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html"

// CreateConditionalMenuRequest has the menu and whom it is for.
type CreateConditionalMenuRequest struct {
	Button    []Button  `json:"button" wx:"required,items=3"`
	MatchRule MatchRule `json:"matchrule" wx:"required"`
}

// MatchRule says who sees a menu; all that is set must fit. WeChat took the
// rules for sex and places away.
type MatchRule struct {
	TagID              string `json:"tag_id,omitempty" wx:"id"`                      // a tag's number
	ClientPlatformType string `json:"client_platform_type,omitempty" wx:"one=1|2|3"` // 1 iOS, 2 Android, 3 others
	Language           string `json:"language,omitempty"`                            // zh_CN, en, …
}

// CreateConditionalMenuResponse has the menu's id.
type CreateConditionalMenuResponse struct {
	MenuID string `json:"menuid"`
}

// DeleteConditionalMenu removes a personalised menu.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
var DeleteConditionalMenu = define[DeleteConditionalMenuRequest, DeleteConditionalMenuResponse](Row{
	Name: "delete_conditional_menu", Method: "POST", Path: "/cgi-bin/menu/delconditional", Doc: conditionalDoc,
})

// DeleteConditionalMenuRequest names the menu.
type DeleteConditionalMenuRequest struct {
	MenuID string `json:"menuid" wx:"required,id"`
}

// DeleteConditionalMenuResponse is empty.
type DeleteConditionalMenuResponse struct{}

// MatchMenu tells which menu a user sees, personalised ones considered.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
var MatchMenu = define[MatchMenuRequest, MatchMenuResponse](Row{
	Name: "match_menu", Method: "POST", Path: "/cgi-bin/menu/trymatch", Retry: Read,
	Proof: []string{"button"}, Doc: conditionalDoc,
})

// MatchMenuRequest names the user, by OpenID or by WeChat id (微信号).
type MatchMenuRequest struct {
	UserID string `json:"user_id" wx:"required"`
}

// MatchMenuResponse has the menu's first level.
type MatchMenuResponse struct {
	Button []Button `json:"button"`
}
