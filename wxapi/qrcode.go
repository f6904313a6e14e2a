package wxapi

import "net/url"

// CreateQRCode makes a QR code with a scene (带参数的二维码), which the events
// subscribe and SCAN then carry. The picture is at [GetQRCodeURL].
//
// QR_SCENE and QR_STR_SCENE are temporary: up to 30 days, 60 seconds unless
// expire_seconds says more. QR_LIMIT_SCENE and QR_LIMIT_STR_SCENE are
// permanent: an account can have 100,000 (45029), the numbers 1 to 100000.
//
// https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
var CreateQRCode = define[CreateQRCodeRequest, CreateQRCodeResponse](Row{
	Name: "create_qr_code", Method: "POST", Path: "/cgi-bin/qrcode/create",
	Proof: []string{"ticket"}, Doc: qrCodeDoc,
	checks: checkQRCode,
})

const qrCodeDoc = "https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html"

// CreateQRCodeRequest has the kind of code and its scene.
type CreateQRCodeRequest struct {
	ExpireSeconds int64      `json:"expire_seconds,omitempty"` // temporary codes only, at most 2592000
	ActionName    string     `json:"action_name" wx:"required,one=QR_SCENE|QR_STR_SCENE|QR_LIMIT_SCENE|QR_LIMIT_STR_SCENE"`
	ActionInfo    ActionInfo `json:"action_info" wx:"required"`
}

// ActionInfo has the scene.
type ActionInfo struct {
	Scene Scene `json:"scene" wx:"required"`
}

// Scene is the number or, with the kinds that have STR in their names, the
// string that a scan brings.
type Scene struct {
	SceneID  int64  `json:"scene_id,omitempty"`
	SceneStr string `json:"scene_str,omitempty" wx:"runes=64"`
}

// CreateQRCodeResponse has the ticket for the picture, and the URL in the code
// for those who draw their own.
type CreateQRCodeResponse struct {
	Ticket        string `json:"ticket"`
	ExpireSeconds int64  `json:"expire_seconds,omitempty"` // absent from a permanent code
	URL           string `json:"url"`
}

// GetQRCodeURL tells where the picture of a QR code is; it calls nobody. The
// address needs no token, and answers 404 when the code is over.
//
// https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
var GetQRCodeURL = define[GetQRCodeURLRequest, GetQRCodeURLResponse](Row{
	Name: "get_qr_code_url", Body: Local, Retry: Read, Doc: qrCodeDoc,
	local: qrCodeURL,
})

// GetQRCodeURLRequest has the ticket of [CreateQRCode].
type GetQRCodeURLRequest struct {
	Ticket string `json:"ticket" wx:"required"`
}

// GetQRCodeURLResponse has the address.
type GetQRCodeURLResponse struct {
	URL string `json:"url"`
}

func qrCodeURL(c *Client, in *object) (*object, *RequestError) {
	u := c.mp.JoinPath("/cgi-bin/showqrcode")
	u.RawQuery = url.Values{"ticket": {in.text("ticket")}}.Encode()
	return &object{members: []member{{"url", u.String()}}}, nil
}

// What WeChat documents about scenes and lives.
const (
	maxTemporaryScene = 1<<32 - 1
	maxPermanentScene = 100_000
	maxExpireSeconds  = 30 * 24 * 60 * 60
)

// checkQRCode checks what depends on the kind of code.
func checkQRCode(in *object) *RequestError {
	info, _ := in.get("action_info")
	v, _ := info.(*object).get("scene")
	scene := v.(*object)
	expire, permanent := in.whole("expire_seconds"), false
	most := int64(maxTemporaryScene)
	switch in.text("action_name") {
	case "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE":
		permanent, most = true, maxPermanentScene
	}
	switch {
	case permanent && expire != 0:
		return refuse("expire_seconds", "is not for %s: the code is permanent", in.text("action_name"))
	case expire < 0 || expire > maxExpireSeconds:
		return refuse("expire_seconds", "is %d, must be 1 to %d", expire, maxExpireSeconds)
	}
	const path = "action_info.scene."
	switch in.text("action_name") {
	case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
		if scene.text("scene_str") == "" {
			return refuse(path+"scene_str", "is missing: %s takes 1 to 64 characters", in.text("action_name"))
		}
	default:
		if id := scene.whole("scene_id"); id < 1 || id > most {
			return refuse(path+"scene_id", "is %d, must be 1 to %d with %s", id, most, in.text("action_name"))
		}
	}
	return nil
}
