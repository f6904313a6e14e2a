package schema_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi"
)

// The beginnings of files.
var (
	jpg = wxapi.Media{Base64: []byte("\xff\xd8\xff\xd9")}
	amr = wxapi.Media{Base64: []byte("#!AMR\n")}
	mp3 = wxapi.Media{Base64: []byte("ID3\x03")}
	mp4 = wxapi.Media{Base64: []byte("\x00\x00\x00\x14ftypisom")}
)

func followers(s *story) {
	s.says(alice, `{"MsgType":"event","Event":"subscribe"}`)
	s.says(bob, `{"MsgType":"event","Event":"subscribe"}`)
	if page := did(s, wxapi.GetUserList, nil); page.Total != 2 || !slices.Equal(page.Data.OpenID, []string{alice}) {
		s.Errorf("%+v", page)
	}
	all := []string{}
	for openID, err := range s.client.AllUsers(s.Context()) {
		if err != nil {
			s.Fatal(err)
		}
		all = append(all, openID)
	}
	if !slices.Equal(all, []string{alice, bob}) {
		s.Errorf("%v", all)
	}
	did(s, wxapi.UpdateUserRemark, &wxapi.UpdateUserRemarkRequest{OpenID: alice, Remark: "好 <b>"})
	if info := did(s, wxapi.GetUserInfo, &wxapi.GetUserInfoRequest{OpenID: alice}); info.Remark != "好 <b>" || info.Subscribe != 1 {
		s.Errorf("%+v", info)
	}
	infos := did(s, wxapi.BatchGetUserInfo, &wxapi.BatchGetUserInfoRequest{UserList: []wxapi.GetUserInfoRequest{{OpenID: bob}, {OpenID: alice}}})
	if len(infos.UserInfoList) != 2 || infos.UserInfoList[0].OpenID != bob {
		s.Errorf("%+v", infos)
	}
	changed := did(s, wxapi.ChangeOpenID, &wxapi.ChangeOpenIDRequest{FromAppID: "wx_old", OpenIDList: []string{alice, "oNobody"}})
	if changed.ResultList[0].NewOpenID == "" || changed.ResultList[1].ErrMsg == "ok" {
		s.Errorf("%+v", changed)
	}
	did(s, wxapi.BlockUsers, &wxapi.BlockUsersRequest{OpenIDList: []string{bob}})
	if blocked := did(s, wxapi.GetBlacklist, &wxapi.GetBlacklistRequest{}); !slices.Equal(blocked.Data.OpenID, []string{bob}) {
		s.Errorf("%+v", blocked)
	}
	did(s, wxapi.UnblockUsers, &wxapi.UnblockUsersRequest{OpenIDList: []string{bob}})
	if blocked := did(s, wxapi.GetBlacklist, &wxapi.GetBlacklistRequest{}); blocked.Count != 0 {
		s.Errorf("%+v", blocked)
	}
}

func tagsAndGroups(s *story) {
	tag := did(s, wxapi.CreateTag, &wxapi.CreateTagRequest{Tag: wxapi.NewTag{Name: "广东"}}).Tag.ID
	did(s, wxapi.UpdateTag, &wxapi.UpdateTagRequest{Tag: wxapi.NamedTag{ID: tag, Name: "广东人"}})
	did(s, wxapi.TagUsers, &wxapi.TagUsersRequest{OpenIDList: []string{alice, bob}, TagID: tag})
	did(s, wxapi.UntagUsers, &wxapi.UntagUsersRequest{OpenIDList: []string{bob}, TagID: tag})
	if tags := did(s, wxapi.GetUserTags, &wxapi.GetUserTagsRequest{OpenID: alice}); !slices.Equal(tags.TagIDList, []int64{tag}) {
		s.Errorf("%+v", tags)
	}
	if page := did(s, wxapi.GetTagUsers, &wxapi.GetTagUsersRequest{TagID: tag}); !slices.Equal(page.Data.OpenID, []string{alice}) {
		s.Errorf("%+v", page)
	}
	if tags := did(s, wxapi.GetTags, nil).Tags; !slices.Contains(tags, wxapi.Tag{ID: tag, Name: "广东人", Count: 1}) {
		s.Errorf("%+v", tags)
	}
	did(s, wxapi.DeleteTag, &wxapi.DeleteTagRequest{Tag: wxapi.TagID{ID: tag}})

	group := did(s, wxapi.CreateGroup, &wxapi.CreateGroupRequest{Group: wxapi.NewGroup{Name: "test"}}).Group.ID
	did(s, wxapi.UpdateGroup, &wxapi.UpdateGroupRequest{Group: wxapi.NamedGroup{ID: group, Name: "test2"}})
	did(s, wxapi.UpdateGroupOfUser, &wxapi.UpdateGroupOfUserRequest{OpenID: alice, ToGroupID: group})
	did(s, wxapi.UpdateGroupOfUsers, &wxapi.UpdateGroupOfUsersRequest{OpenIDList: []string{alice, bob}, ToGroupID: group})
	if of := did(s, wxapi.GetGroupOfUser, &wxapi.GetGroupOfUserRequest{OpenID: bob}); of.GroupID != group {
		s.Errorf("%+v", of)
	}
	if groups := did(s, wxapi.GetGroups, nil).Groups; !slices.Contains(groups, wxapi.Group{ID: group, Name: "test2", Count: 2}) {
		s.Errorf("%+v", groups)
	}
	did(s, wxapi.DeleteGroup, &wxapi.DeleteGroupRequest{Group: wxapi.GroupID{ID: group}})
	if of := did(s, wxapi.GetGroupOfUser, &wxapi.GetGroupOfUserRequest{OpenID: bob}); of.GroupID != 0 {
		s.Errorf("%+v", of)
	}
}

func menus(s *story) {
	if none := did(s, wxapi.GetMenu, nil); none.Menu != nil {
		s.Errorf("%+v", none)
	}
	button := func(name string) []wxapi.Button { return []wxapi.Button{{Type: "click", Name: name, Key: "K"}} }
	did(s, wxapi.CreateMenu, &wxapi.CreateMenuRequest{Button: button("今日歌曲")})
	own := did(s, wxapi.CreateConditionalMenu, &wxapi.CreateConditionalMenuRequest{
		Button: button("iOS"), MatchRule: wxapi.MatchRule{ClientPlatformType: "1"},
	}).MenuID
	if match := did(s, wxapi.MatchMenu, &wxapi.MatchMenuRequest{UserID: alice}); match.Button[0].Name != "iOS" {
		s.Errorf("%+v", match)
	}
	if both := did(s, wxapi.GetMenu, nil); fmt.Sprint(both.ConditionalMenu[0].MenuID) != own || both.Menu.Button[0].Name != "今日歌曲" {
		s.Errorf("%+v", both)
	}
	did(s, wxapi.DeleteConditionalMenu, &wxapi.DeleteConditionalMenuRequest{MenuID: own})
	if match := did(s, wxapi.MatchMenu, &wxapi.MatchMenuRequest{UserID: alice}); match.Button[0].Name != "今日歌曲" {
		s.Errorf("%+v", match)
	}
	if now := did(s, wxapi.GetCurrentMenu, nil); now.IsMenuOpen != 1 || now.SelfMenuInfo.Button[0].Key != "K" {
		s.Errorf("%+v", now)
	}
	did(s, wxapi.DeleteMenu, nil)
	did(s, wxapi.GetCurrentAutoreply, nil)
}

func webPages(s *story) {
	url := did(s, wxapi.GetOAuthAuthorizeURL, &wxapi.GetOAuthAuthorizeURLRequest{RedirectURI: "https://shop.example.com/", Scope: "snsapi_userinfo"})
	if !strings.Contains(url.URL, "appid="+appID) {
		s.Errorf("%+v", url)
	}
	code, err := s.sim.Authorize(alice, "snsapi_userinfo")
	if err != nil {
		s.Fatal(err)
	}
	first := did(s, wxapi.GetOAuthAccessToken, &wxapi.GetOAuthAccessTokenRequest{Code: code})
	token := did(s, wxapi.RefreshOAuthAccessToken, &wxapi.RefreshOAuthAccessTokenRequest{RefreshToken: first.RefreshToken})
	if who := did(s, wxapi.GetSnsapiUserinfo, &wxapi.GetSnsapiUserinfoRequest{AccessToken: token.AccessToken, OpenID: alice}); who.OpenID != alice {
		s.Errorf("%+v", who)
	}
	did(s, wxapi.CheckOAuthAccessToken, &wxapi.CheckOAuthAccessTokenRequest{AccessToken: token.AccessToken, OpenID: alice})
	ticket := did(s, wxapi.GetJSAPITicket, nil)
	if again := did(s, wxapi.GetJSAPITicket, nil); again.Ticket != ticket.Ticket || again.Ticket == "" {
		s.Errorf("%+v", again)
	}
	did(s, wxapi.GetOneTimeURL, &wxapi.GetOneTimeURLRequest{Scene: "1000", TemplateID: "T", RedirectURL: "https://shop.example.com/"})
}

func codes(s *story) {
	made := did(s, wxapi.CreateQRCode, &wxapi.CreateQRCodeRequest{
		ActionName: "QR_LIMIT_STR_SCENE", ActionInfo: wxapi.ActionInfo{Scene: wxapi.Scene{SceneStr: "door"}},
	})
	at := did(s, wxapi.GetQRCodeURL, &wxapi.GetQRCodeURLRequest{Ticket: made.Ticket})
	resp, err := http.Get(at.URL)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.Errorf("%s: %s", at.URL, resp.Status)
	}
	key := did(s, wxapi.CreateShortKey, &wxapi.CreateShortKeyRequest{LongData: "好 & <more>"}).ShortKey
	if long := did(s, wxapi.ResolveShortKey, &wxapi.ResolveShortKeyRequest{ShortKey: key}); long.LongData != "好 & <more>" {
		s.Errorf("%+v", long)
	}
}

func messages(s *story) {
	s.says(alice, `{"MsgType":"text","Content":"hi"}`)
	did(s, wxapi.SendTyping, &wxapi.SendTypingRequest{ToUser: alice, Command: "Typing"})
	image := did(s, wxapi.UploadMedia, &wxapi.UploadMediaRequest{Type: "image", Media: jpg}).MediaID
	did(s, wxapi.SendCustomMessage, &wxapi.SendCustomMessageRequest{ToUser: alice, MsgType: "image", Image: &wxapi.MediaID{MediaID: image}})
	if file := did(s, wxapi.GetMedia, &wxapi.GetMediaRequest{MediaID: image}); string(file.Media.Base64) != string(jpg.Base64) {
		s.Errorf("%+v", file)
	}
	voice := did(s, wxapi.UploadMedia, &wxapi.UploadMediaRequest{Type: "voice", Media: amr}).MediaID
	did(s, wxapi.GetJSSDKVoice, &wxapi.GetJSSDKVoiceRequest{MediaID: voice})

	did(s, wxapi.SetIndustry, &wxapi.SetIndustryRequest{IndustryID1: "1", IndustryID2: "4"})
	if both := did(s, wxapi.GetIndustry, nil); both.Primary.FirstClass == "" {
		s.Errorf("%+v", both)
	}
	template := did(s, wxapi.AddTemplate, &wxapi.AddTemplateRequest{TemplateIDShort: "TM00015"}).TemplateID
	sent := did(s, wxapi.SendTemplateMessage, &wxapi.SendTemplateMessageRequest{
		ToUser: alice, TemplateID: template, Data: map[string]wxapi.TemplateValue{"keyword1": {Value: "巧克力"}},
	})
	if len(sent.MsgID) < 17 {
		s.Errorf("%+v", sent)
	}
	did(s, wxapi.SendOneTimeMessage, &wxapi.SendOneTimeMessageRequest{
		ToUser: alice, TemplateID: template, Scene: "1000", Title: "T", Data: wxapi.OneTimeMessage{Content: wxapi.OneTimeContent{Value: "v"}},
	})
	if all := did(s, wxapi.GetTemplates, nil); all.Templates[0].TemplateID != template {
		s.Errorf("%+v", all)
	}
	did(s, wxapi.DeleteTemplate, &wxapi.DeleteTemplateRequest{TemplateID: template})
	notices(s)
}

func notices(s *story) {
	category := did(s, wxapi.GetSubscribeCategories, nil).Data[0].ID
	titles := did(s, wxapi.GetSubscribeTemplateTitles, &wxapi.GetSubscribeTemplateTitlesRequest{IDs: fmt.Sprint(category), Limit: 30})
	tid := fmt.Sprint(titles.Data[0].TID)
	keywords := did(s, wxapi.GetSubscribeTemplateKeywords, &wxapi.GetSubscribeTemplateKeywordsRequest{TID: tid}).Data
	template := did(s, wxapi.AddSubscribeTemplate, &wxapi.AddSubscribeTemplateRequest{TID: tid, KIDList: []int64{keywords[0].KID, keywords[1].KID}}).PriTmplID
	if own := did(s, wxapi.GetSubscribeTemplates, nil).Data; own[0].PriTmplID != template {
		s.Errorf("%+v", own)
	}
	s.says(alice, `{"MsgType":"event","Event":"subscribe_msg_popup_event","SubscribeMsgPopupEvent":{"List":{"TemplateId":"`+template+`","SubscribeStatusString":"accept","PopupScene":"1"}}}`)
	did(s, wxapi.SendSubscribeMessage, &wxapi.SendSubscribeMessageRequest{
		ToUser: alice, TemplateID: template, Data: map[string]wxapi.TemplateValue{"thing1": {Value: "好"}},
	})
	did(s, wxapi.DeleteSubscribeTemplate, &wxapi.DeleteSubscribeTemplateRequest{PriTmplID: template})
}
