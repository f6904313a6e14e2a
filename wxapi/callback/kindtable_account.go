package callback

import "slices"

func concat(tables ...[]Kind) []Kind { return slices.Concat(tables...) }

var jobEvents = []Kind{
	event("MASSSENDJOBFINISH", pageMass, "A mass send ended.",
		id("MsgID", "the msg_id of the send"),
		word("Status", "send success, send fail or err(number)"),
		integer("TotalCount", "followers chosen"),
		integer("FilterCount", "of them to be sent to"),
		integer("SentCount", "sent"),
		integer("ErrorCount", "failed"),
		object("CopyrightCheckResult",
			integer("Count", "how many there are"),
			object("ResultList", repeated(object("item",
				integer("ArticleIdx", "from 1"),
				integer("UserDeclareState", "0 not declared original, 1 declared, 2 could not be"),
				integer("AuditState", "0 open, 1 original, 2 reprint, 3 other"),
				word("OriginalArticleUrl", ""),
				integer("OriginalArticleType", ""),
				integer("CanReprint", "0 or 1"),
				integer("NeedReplaceContent", "0 or 1"),
				integer("NeedShowReprintSource", "0 or 1")))),
			integer("CheckState", "1 fine, 2 may be sent with the source named, 3 may not be sent")),
		object("ArticleUrlResult",
			integer("Count", "how many there are"),
			object("ResultList", repeated(object("item",
				integer("ArticleIdx", "from 1"),
				word("ArticleUrl", "")))))),
	event("TEMPLATESENDJOBFINISH", pageTemplate, "A template message was delivered, or not.",
		id("MsgID", "the msgid that template/send answered"),
		word("Status", "success, failed:user block or failed: system failed")),
	publishFinished("PUBLISHJOBFINISH", "Publishing a draft ended."),
	publishFinished("FREEPUBLISHJOBFINISH", "Publishing a draft ended; the name in WeChat's older pages."),
}

func publishFinished(name, summary string) Kind {
	return event(name, pagePublish, summary,
		object("PublishEventInfo",
			id("publish_id", ""),
			integer("publish_status", "0 done, 1 running, 2 not original, 3 failed, 4 refused by audit, 5 deleted since, 6 banned since"),
			word("article_id", ""),
			object("article_detail",
				integer("count", "how many there are"),
				repeated(object("item",
					integer("idx", "from 1"),
					word("article_url", "")))),
			repeated(integer("fail_idx", "a refused article, from 1"))))
}

var noticeEvents = []Kind{
	event("subscribe_msg_popup_event", pageNotices, "A user answered the question whether notices may be sent.",
		object("SubscribeMsgPopupEvent", repeated(object("List",
			word("TemplateId", ""),
			word("SubscribeStatusString", "accept or reject"),
			integer("PopupScene", "1 web page, 2 article"))))),
	event("subscribe_msg_change_event", pageNotices, "A user turned notices off in the settings.",
		object("SubscribeMsgChangeEvent", repeated(object("List",
			word("TemplateId", ""),
			word("SubscribeStatusString", "reject"))))),
	event("subscribe_msg_sent_event", pageNotices, "A notice was delivered, or not.",
		object("SubscribeMsgSentEvent", repeated(object("List",
			word("TemplateId", ""),
			id("MsgID", "of the notice"),
			integer("ErrorCode", "0 delivered"),
			word("ErrorStatus", "the code in words"))))),
}

var accountEvents = []Kind{
	event("kf_create_session", pageAgents, "A human agent took over the conversation.",
		word("KfAccount", "the agent")),
	event("kf_close_session", pageAgents, "A human agent ended the conversation.",
		word("KfAccount", "the agent"),
		word("CloseType", "who ended it")),
	event("kf_switch_session", pageAgents, "A conversation went from one human agent to another.",
		word("FromKfAccount", "the agent before"),
		word("ToKfAccount", "the agent after")),
	event("user_enter_tempsession", pageMiniApp, "A user of a mini program opened customer service.",
		text("SessionFrom", "the session-from of the button")),
	event("user_info_modified", pagePrivacy, "A user's nickname or picture was withdrawn; refresh or delete them.", privacyFields...),
	event("user_authorization_revoke", pagePrivacy, "A user withdrew an authorisation; his data are to be deleted.", privacyFields...),
	event("user_authorization_cancellation", pagePrivacy, "A user closed his WeChat account; his data are to be deleted.", privacyFields...),
	event("qualification_verify_success", pageVerified, "The account was verified; its API permissions begin.",
		integer("ExpiredTime", "when it ends, Unix seconds")),
	event("qualification_verify_fail", pageVerified, "The account's verification failed.",
		integer("FailTime", "Unix seconds"), text("FailReason", "")),
	event("naming_verify_success", pageVerified, "The account's name was verified.",
		integer("ExpiredTime", "when it ends, Unix seconds")),
	event("naming_verify_fail", pageVerified, "The account's name was not verified; its API permissions stay.",
		integer("FailTime", "Unix seconds"), text("FailReason", "")),
	event("annual_renew", pageVerified, "The account's verification is to be renewed.",
		integer("ExpiredTime", "when it ends, Unix seconds")),
	event("verify_expired", pageVerified, "The account's verification ended; calls begin to fail with 48001.",
		integer("ExpiredTime", "when it ended, Unix seconds")),
	event("guide_qrcode_scan_event", pageGuide, "A follower scanned the QR code of a shopping guide.",
		object("GuideScanEvent",
			word("qrcode_guide_account", ""),
			word("qrcode_guide_openid", ""),
			word("openid", "the follower"),
			integer("action", ""),
			text("qrcode_info", ""))),
}

// WeChat's samples write these names both ways.
var privacyFields = []Field{
	word("OpenID", "whose data are meant"), word("AppID", ""),
	word("RevokeInfo", "what was withdrawn, a number"),
	word("openid", "OpenID in another spelling"), word("appid", "AppID in another spelling"),
}

// The card product is closed to new accounts. Its elements are strings here, as in its pages, but for counts.
var cardEvents = []Kind{
	card("card_pass_check", "A card passed WeChat's check."),
	card("card_not_pass_check", "A card did not pass WeChat's check.", text("RefuseReason", "")),
	card("user_get_card", "A user got a card.", userCardCode,
		word("IsGiveByFriend", "0 or 1"), word("FriendUserName", "the giver's OpenID"),
		word("OuterId", ""), word("OldUserCardCode", ""), text("OuterStr", ""),
		word("IsRestoreMemberCard", "0 or 1"), word("IsRecommendByFriend", "0 or 1"), word("UnionId", "")),
	card("user_gifting_card", "A user gives a card away.", userCardCode,
		word("IsReturnBack", "0 or 1"), word("FriendUserName", "the receiver's OpenID"), word("IsChatRoom", "0 or 1")),
	card("user_del_card", "A user deleted a card.", userCardCode),
	card("user_consume_card", "A card was redeemed.", userCardCode,
		word("ConsumeSource", "FROM_API, FROM_MP or FROM_MOBILE_HELPER"), text("LocationName", ""),
		word("StaffOpenId", ""), text("VerifyCode", ""), text("RemarkAmount", ""), text("OuterStr", "")),
	card("user_pay_from_pay_cell", "A user paid with a card.", userCardCode,
		word("TransId", ""), word("LocationId", ""), word("Fee", "fen"), word("OriginalFee", "fen")),
	card("user_view_card", "A user looked at a card.", userCardCode, text("OuterStr", "")),
	card("user_enter_session_from_card", "A user came to the chat from a card.", userCardCode),
	card("update_member_card", "A member card's points or balance changed.", userCardCode,
		word("ModifyBonus", ""), word("ModifyBalance", "")),
	card("card_sku_remind", "A card's stock is low.", text("Detail", "")),
	event("card_pay_order", pageCards, "The account's card tokens were bought or used.",
		word("OrderId", ""), word("Status", ""), word("CreateOrderTime", "Unix seconds"), word("PayFinishTime", "Unix seconds"),
		text("Desc", ""), word("FreeCoinCount", ""), word("PayCoinCount", ""), word("RefundFreeCoinCount", ""),
		word("RefundPayCoinCount", ""), word("OrderType", ""), text("Memo", ""), text("ReceiptInfo", "")),
	card("submit_membercard_user_info", "A user activated a member card.", userCardCode),
	event("card_merchant_check_result", pageCards, "A sub-merchant was checked.",
		word("MerchantId", ""), word("IsPass", "0 or 1"), text("Reason", "")),
	event("giftcard_pay_done", pageGifts, "A gift card was paid.", word("PageId", ""), word("OrderId", "")),
	event("giftcard_send_to_friend", pageGifts, "A gift card was given to a friend.",
		word("PageId", ""), word("OrderId", ""), word("IsChatRoom", "true or false"), word("IsReturnBack", "true or false")),
	event("giftcard_user_accept", pageGifts, "A gift card was accepted.",
		word("PageId", ""), word("OrderId", ""), word("IsChatRoom", "true or false")),
}

var userCardCode = word("UserCardCode", "the card's code")

func card(name, summary string, fields ...Field) Kind {
	return event(name, pageCards, summary, append([]Field{word("CardId", "")}, fields...)...)
}
