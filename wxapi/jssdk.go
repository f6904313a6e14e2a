package wxapi

import (
	"crypto/sha1" //nolint:gosec // WeChat's choice
	"encoding/hex"
	"strconv"
	"strings"
)

// GetJSAPITicket gets the ticket with which pages sign for the JS-SDK, two
// hours good (jsapi_ticket). Like a token it is to be kept and shared: WeChat
// limits how often it is asked for. [SignJSAPI] makes the signatures.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
var GetJSAPITicket = define[GetJSAPITicketRequest, GetJSAPITicketResponse](Row{
	Name: "get_jsapi_ticket", Method: "GET", Path: "/cgi-bin/ticket/getticket", Body: Query, Retry: Read,
	Fixed: map[string]string{"type": "jsapi"}, CallOnly: true, Proof: []string{"ticket"},
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html",
})

// GetJSAPITicketRequest says what the ticket is for: jsapi, which needs not be
// said, or wx_card for cards.
type GetJSAPITicketRequest struct {
	Type string `json:"type,omitempty" wx:"one=jsapi|wx_card"`
}

// GetJSAPITicketResponse has the ticket.
type GetJSAPITicketResponse struct {
	Ticket    string `json:"ticket"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// SignJSAPI makes the signature for wx.config on a page. The nonce and the
// timestamp (in seconds) must be those given to wx.config, where the nonce is
// spelled nonceStr; pageURL is the page's address as the browser shows it,
// with its query. What follows a # is left out.
//
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
func SignJSAPI(ticket, nonce string, timestamp int64, pageURL string) string {
	pageURL, _, _ = strings.Cut(pageURL, "#")
	// Sorted by name, and nothing escaped.
	sum := sha1.Sum([]byte("jsapi_ticket=" + ticket + "&noncestr=" + nonce + //nolint:gosec // WeChat's choice
		"&timestamp=" + strconv.FormatInt(timestamp, 10) + "&url=" + pageURL))
	return hex.EncodeToString(sum[:])
}
