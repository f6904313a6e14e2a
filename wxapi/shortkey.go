package wxapi

const shortKeyDoc = "https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html"

// CreateShortKey keeps up to 4 KB at WeChat under a key of 15 characters
// (短key托管), for at most 30 days.
//
// https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
var CreateShortKey = define[CreateShortKeyRequest, CreateShortKeyResponse](Row{
	Name: "create_short_key", Method: "POST", Path: "/cgi-bin/shorten/gen",
	Proof: []string{"short_key"}, Doc: shortKeyDoc,
	checks: within("expire_seconds", 1, maxExpireSeconds),
})

// CreateShortKeyRequest has what is kept, and for how many seconds; without
// them for 2592000, which is the most.
type CreateShortKeyRequest struct {
	LongData      string `json:"long_data" wx:"required,max=4096"`
	ExpireSeconds int64  `json:"expire_seconds,omitempty"`
}

// CreateShortKeyResponse has the key.
type CreateShortKeyResponse struct {
	ShortKey string `json:"short_key"`
}

// ResolveShortKey reads what is kept under a key.
//
// https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
var ResolveShortKey = define[ResolveShortKeyRequest, ResolveShortKeyResponse](Row{
	Name: "resolve_short_key", Method: "POST", Path: "/cgi-bin/shorten/fetch", Retry: Read,
	Proof: []string{"long_data"}, Doc: shortKeyDoc,
})

// ResolveShortKeyRequest has the key.
type ResolveShortKeyRequest struct {
	ShortKey string `json:"short_key" wx:"required"`
}

// ResolveShortKeyResponse has what is kept.
type ResolveShortKeyResponse struct {
	LongData      string `json:"long_data"`
	CreateTime    int64  `json:"create_time"`
	ExpireSeconds int64  `json:"expire_seconds"` // that are left
}
