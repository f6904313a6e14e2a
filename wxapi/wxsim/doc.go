// Package wxsim is a pretend WeChat: one Official Account, its API and its followers' phones, in memory. It needs
// no account, no network and no public address, and it is what `wxbridge demo` and `wxbridge sim` run.
//
//	sim, err := wxsim.New(wxsim.Config{
//		AppID: "wx0123456789abcdef", AppSecret: "any", Token: "any",
//		AESKey:   "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", // leave out for an account in plaintext mode
//		Callback: "http://127.0.0.1:8080/wx",
//	})
//	…
//	go http.ListenAndServe("127.0.0.1:8090", sim.Handler())
//	delivery, err := sim.Push(ctx, "o_alice", json.RawMessage(`{"MsgType":"text","Content":"hi"}`))
//
// A program under test takes http://127.0.0.1:8090 for https://api.weixin.qq.com (in wxbridge: WX_API_URL), and
// serves the callback. Everything below works from any language, over HTTP.
//
// # The API side
//
// The API answers at WeChat's own paths, mistakes as WeChat does: HTTP 200, errcode, errmsg with a rid, and
// Content-Type `application/json; encoding=utf-8`. Tokens live 7200 s, a replaced one 5 minutes more; those of
// /cgi-bin/token and of /cgi-bin/stable_token know nothing of each other. Custom messages
// keep to WeChat's counts (5 in 48 h after a message, 3 in a minute after a menu tap, a scan, a follow), temporary
// media to their types, sizes and three days. Followers, their tags (groups are tags by an older name), remarks, the
// blacklist, menus, QR codes and their pictures, web authorisation, JS-SDK tickets, short keys and comments are
// remembered. The data cube counts followers, and makes up the rest. All other APIs that wxbridge knows check token
// and body, and answer something made up in the right shape. A path that nobody knows is answered with errcode 40066.
//
// Templates, permanent material, drafts, published articles, mass messages and customer service have state too: a
// message needs a template of the account's ([Config].Templates are there from the start), an mpnewsarticle a published
// article, and a repeated client_msg_id or clientmsgid sends nothing. Jobs are done at once, and their results
// (TEMPLATESENDJOBFINISH, MASSSENDJOBFINISH, PUBLISHJOBFINISH, kf_create_session, …) are pushed after the answer. A
// notification goes to a follower who has pushed a subscribe_msg_popup_event that accepts it. An agent who is invited
// accepts at once and is then at work. Quotas can be asked for and cleared, and a failed call looked up by its rid.
//
// # The phone side
//
// A push is delivered as WeChat does: signed afresh for each try, encrypted as the account's mode says, five
// seconds for each of three tries, the next one five seconds after the last one began. Only a 200 with
// `success`, an empty body or a valid passive reply ends it; in safe mode the reply has to be encrypted and signed, and in
// every mode addressed to the follower who wrote. When all tries fail, the follower sees [FaultLine].
//
//	curl -d '{"MsgType":"text","Content":"hi"}' http://127.0.0.1:8090/_sim/followers/o_alice/push
//	{"tries":[{"status":200,"ms":12.3,"body":"<xml>…"}],"reply":{"ToUserName":"o_alice",…,"MsgType":"text","Content":"hello"},"fault":false}
//
// The data has WeChat's own element names. ToUserName, FromUserName, CreateTime, for messages MsgId, and for
// media a MediaId that get_media answers, are filled in where they are missing; elements that the simulator doesn't know are passed on.
// Events look like {"MsgType":"event","Event":"subscribe"}, and likewise unsubscribe, SCAN, CLICK, VIEW,
// LOCATION and all that WeChat may invent. subscribe makes a follower and unsubscribe loses one. Only followers can
// talk to an account, so whoever talks without having followed becomes a follower silently, without an event.
// ?mode=plain, compatible or safe pushes in another mode than the account's.
//
// A QR code is scanned by its ticket: SCAN for a follower, subscribe for a stranger. A user who agrees on one of the
// account's web pages brings a code back; who that is need not follow:
//
//	curl -d '{"ticket":"gQH4+/+/…"}'                          http://127.0.0.1:8090/_sim/followers/o_alice/scan
//	curl -d '{"scope":"snsapi_userinfo","state":"123"}'       http://127.0.0.1:8090/_sim/followers/o_alice/authorize
//	{"code":"…","state":"123"}
//
// A reader comments on an article that is open for it, named by the msg_data_id of its publication or mass message:
//
//	curl -d '{"msg_data_id":"24000000000000002","index":0,"content":"nice"}' http://127.0.0.1:8090/_sim/followers/o_alice/comment
//	{"user_comment_id":"24000000000000003"}
//
// A blocked follower gets no messages (43019); what they say is pushed all the same. All phones are iPhones set to
// zh_CN, which is what personalised menus go by.
//
// The request of a push lasts as long as the delivery does; hanging up abandons it. A wrong request is answered 400 with
// {"error":"…"}, and so it is everywhere in the control interface. It has no password: keep it on a loopback
// address or a private network.
//
// # The control side
//
// GET /_sim/ lists all of it, with the names of the verbs.
//
// What a follower has seen: passive replies, custom, template and mass messages, notices and fault lines, each with n, time, kind, text and
// message. after skips what is known already, wait_ms waits (up to a minute) until there is something:
//
//	curl 'http://127.0.0.1:8090/_sim/followers/o_alice/inbox?after=1&wait_ms=3000'
//	[{"n":2,"time":"…","kind":"custom","text":"hi","message":{"msgtype":"text","text":{"content":"hi"}}}]
//	curl http://127.0.0.1:8090/_sim/followers
//	[{"openid":"o_alice","following":true,"since":"…","group":0,"tags":[],"blocked":false,"seen":2,"windows":{"message":{"left":4,"until":"…"}}}]
//
// Faults strike the next calls of an API; fields as in [Fault]. get_access_token means both token endpoints, which
// verb "" or "*" leaves alone:
//
//	curl -d '{"verb":"send_custom_message","times":2,"errcode":45009}' http://127.0.0.1:8090/_sim/faults
//	curl -d '{"verb":"*","kind":"slow","delay_ms":2000}'               http://127.0.0.1:8090/_sim/faults
//	curl -d '{"verb":"get_access_token","kind":"status","status":503}' http://127.0.0.1:8090/_sim/faults
//	curl            http://127.0.0.1:8090/_sim/faults    # those that are left
//	curl -X DELETE  http://127.0.0.1:8090/_sim/faults
//
//	kind          what the client sees                        the call is carried out
//	errcode       a WeChat error: errcode, perhaps errmsg     no
//	timeout       nothing, until it hangs up                  yes
//	reset         the connection is reset                     yes
//	reset_before  the connection is reset                     no
//	html          a gateway's page; status, default 502       no
//	slow          the right answer, delay_ms late             yes
//	truncated     the first half of the right answer          yes
//	status        an empty answer; status, default 502        no
//
// "executed":true or false changes the last column, and delay_ms delays any kind.
//
// The API calls received, without credentials:
//
//	curl 'http://127.0.0.1:8090/_sim/calls?verb=send_custom_message&after=0'
//	[{"n":1,"time":"…","verb":"send_custom_message","method":"POST","path":"/cgi-bin/message/custom/send",
//	  "query":{"access_token":["…"]},"body":{"touser":"o_alice",…},"errcode":0}]
//	curl -X DELETE http://127.0.0.1:8090/_sim/calls
//
// Time and quotas. The clock moves tokens, windows, quotas and media, not the stamps of pushes, which the receiver
// compares with its own clock:
//
//	curl -X POST                                   http://127.0.0.1:8090/_sim/token/expire
//	curl -d '{"advance_ms":172800000}'             http://127.0.0.1:8090/_sim/clock
//	curl -X PUT -d '{"send_custom_message":{"per_minute":2,"per_day":10}}' http://127.0.0.1:8090/_sim/limits
//	curl                                           http://127.0.0.1:8090/_sim/limits
//
// The callback: where it is, and the check that the console makes when it is saved:
//
//	curl -X PUT -d '{"url":"http://127.0.0.1:8080/wx"}' http://127.0.0.1:8090/_sim/callback
//	curl -X POST                                        http://127.0.0.1:8090/_sim/check
//	{"ok":true}
package wxsim
