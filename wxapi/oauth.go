package wxapi

import (
	"net/url"
	"regexp"
)

// oauthDoc is WeChat's page about all of this file.
const oauthDoc = "https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html"

// GetOAuthAuthorizeURL tells where a web page sends a user to be authorised
// (网页授权); it calls nobody. WeChat comes back to the redirect_uri with a code
// that is good once and for five minutes, and with the state.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
var GetOAuthAuthorizeURL = define[GetOAuthAuthorizeURLRequest, GetOAuthAuthorizeURLResponse](Row{
	Name: "get_oauth_authorize_url", Auth: AppID, Body: Local, Retry: Read, Doc: oauthDoc,
	checks: checkAuthorize, local: authorizeURL,
})

// GetOAuthAuthorizeURLRequest says where to come back to and what is asked of
// the user. The redirect_uri must be in the domain that is set on the console.
type GetOAuthAuthorizeURLRequest struct {
	RedirectURI string `json:"redirect_uri" wx:"required"`
	Scope       string `json:"scope" wx:"required,one=snsapi_base|snsapi_userinfo"` // base: only the OpenID, without asking
	State       string `json:"state,omitempty" wx:"max=128"`                        // letters and digits
	ForcePopup  bool   `json:"force_popup,omitempty"`                               // ask even those who have agreed before
}

// GetOAuthAuthorizeURLResponse has the address.
type GetOAuthAuthorizeURLResponse struct {
	URL string `json:"url"`
}

var stateLetters = regexp.MustCompile(`^[A-Za-z0-9]*$`)

func checkAuthorize(in *object) *RequestError {
	if problem := wholeAddress("redirect_uri")(in); problem != nil {
		return problem
	}
	if !stateLetters.MatchString(in.text("state")) {
		return refuse("state", "may have letters and digits only")
	}
	return nil
}

// authorizeURL keeps to the order in which WeChat documents the parameters: old
// phones answer any other with a blank page.
func authorizeURL(c *Client, in *object) (*object, *RequestError) {
	address := "https://open.weixin.qq.com/connect/oauth2/authorize?appid=" + url.QueryEscape(c.config.AppID) +
		"&redirect_uri=" + url.QueryEscape(in.text("redirect_uri")) +
		"&response_type=code&scope=" + in.text("scope") + "&state=" + in.text("state")
	if popup, _ := in.get("force_popup"); popup == true {
		address += "&forcePopup=true"
	}
	return &object{members: []member{{"url", address + "#wechat_redirect"}}}, nil
}

// GetOAuthAccessToken exchanges a code for the user's OpenID and a token of
// their own, which is not the account's and is yours to keep. A code is good
// once (40163) and for five minutes (42003); after either the user must be
// sent through authorisation again.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
var GetOAuthAccessToken = define[GetOAuthAccessTokenRequest, OAuthToken](Row{
	Name: "get_oauth_access_token", Method: "GET", Path: "/sns/oauth2/access_token", Auth: AppSecret, Body: Query,
	Fixed: map[string]string{"grant_type": "authorization_code"}, Secret: []string{"code"}, CallOnly: true,
	Proof: []string{"access_token"}, Doc: oauthDoc,
})

// GetOAuthAccessTokenRequest has the code.
type GetOAuthAccessTokenRequest struct {
	Code string `json:"code" wx:"required"`
}

// OAuthToken is what a user has granted.
type OAuthToken struct {
	AccessToken    string `json:"access_token"`
	ExpiresIn      int64  `json:"expires_in"`    // seconds
	RefreshToken   string `json:"refresh_token"` // good for 30 days
	OpenID         string `json:"openid"`
	Scope          string `json:"scope"`                     // one or more, with commas
	IsSnapshotUser int    `json:"is_snapshotuser,omitempty"` // 1: a preview of the page, and nobody real
	UnionID        string `json:"unionid,omitempty"`         // of accounts bound to an open platform
}

// RefreshOAuthAccessToken prolongs a user's token, or gives a new one in place
// of one that is over.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
var RefreshOAuthAccessToken = define[RefreshOAuthAccessTokenRequest, OAuthToken](Row{
	Name: "refresh_oauth_access_token", Method: "GET", Path: "/sns/oauth2/refresh_token", Auth: AppID, Body: Query,
	Fixed: map[string]string{"grant_type": "refresh_token"}, Secret: []string{"refresh_token"}, CallOnly: true,
	Proof: []string{"access_token"}, Doc: oauthDoc,
})

// RefreshOAuthAccessTokenRequest has the refresh_token.
type RefreshOAuthAccessTokenRequest struct {
	RefreshToken string `json:"refresh_token" wx:"required"`
}

// GetSnsapiUserinfo tells about a user who has granted scope snsapi_userinfo;
// the token is the user's. Name and picture are real only when the user chose
// to share them; else the name is 微信用户 and the picture grey.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
var GetSnsapiUserinfo = define[GetSnsapiUserinfoRequest, SnsapiUserinfo](Row{
	Name: "get_snsapi_userinfo", Method: "GET", Path: "/sns/userinfo", Auth: CallerToken, Body: Query, Retry: Read,
	CallOnly: true, Lane: "openid", Proof: []string{"openid"}, Doc: oauthDoc,
	// 48001: the user has granted snsapi_base. It says nothing of the account.
	Classes: map[int]Class{48001: ClassBug},
})

// GetSnsapiUserinfoRequest has the user's token and OpenID. Lang is the
// language of the places' names.
type GetSnsapiUserinfoRequest struct {
	AccessToken string `json:"access_token" wx:"required"`
	OpenID      string `json:"openid" wx:"required,openid"`
	Lang        string `json:"lang,omitempty" wx:"one=zh_CN|zh_TW|en"`
}

// SnsapiUserinfo is a user as they show themselves to the account.
type SnsapiUserinfo struct {
	OpenID     string   `json:"openid"`
	Nickname   string   `json:"nickname"`
	Sex        int      `json:"sex"`
	Province   string   `json:"province"`
	City       string   `json:"city"`
	Country    string   `json:"country"`
	HeadImgURL string   `json:"headimgurl"` // its last number is the size: 0 (640), 46, 64, 96, 132
	Privilege  []string `json:"privilege"`
	UnionID    string   `json:"unionid,omitempty"`
}

// CheckOAuthAccessToken tells whether a user's token is still good: the error
// says that it is not.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
var CheckOAuthAccessToken = define[CheckOAuthAccessTokenRequest, CheckOAuthAccessTokenResponse](Row{
	Name: "check_oauth_access_token", Method: "GET", Path: "/sns/auth", Auth: CallerToken, Body: Query, Retry: Read,
	CallOnly: true, Lane: "openid", Doc: oauthDoc,
})

// CheckOAuthAccessTokenRequest has the user's token and OpenID.
type CheckOAuthAccessTokenRequest struct {
	AccessToken string `json:"access_token" wx:"required"`
	OpenID      string `json:"openid" wx:"required,openid"`
}

// CheckOAuthAccessTokenResponse is empty.
type CheckOAuthAccessTokenResponse struct{}
