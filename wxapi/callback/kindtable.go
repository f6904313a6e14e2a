package callback

// WeChat's pages, as of 2026. The addresses below /doc/offiaccount/ redirect to the newer trees.
const (
	pages        = "https://developers.weixin.qq.com/doc/offiaccount/"
	pageMessages = pages + "Message_Management/Receiving_standard_messages.html"
	pageEvents   = pages + "Message_Management/Receiving_event_pushes.html"
	pageMenus    = pages + "Custom_Menus/Custom_Menu_Push_Events.html"
	pageMass     = pages + "Message_Management/Batch_Sends_and_Originality_Checks.html"
	pageTemplate = pages + "Message_Management/Template_Message_Interface.html"
	pagePublish  = pages + "Publish/Callback_on_finish.html"
	pageNotices  = pages + "Subscription_Messages/api.html"
	pageAgents   = pages + "Customer_Service/Session_control.html"
	pagePrivacy  = pages + "OA_Web_Apps/authorization_change.html"
	pageVerified = pages + "Account_Management/Wechat_Accreditation_Event_Push.html"
	pageGuide    = pages + "Shopping_Guide/guide-account/shopping-guide.onGuideCreateQrCode.html"
	pageCards    = pages + "Cards_and_Offer/Coupons_Vouchers_and_Cards_Event_Push_Messages.html"
	pageGifts    = pages + "Cards_and_Offer/gift_card.html"
	pageMiniApp  = "https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/customer-message/receive.html"
)

// kinds is the table. Adding a kind is adding a row here and a sample in testdata/samples.
var kinds = concat(messages, followEvents, menuEvents, jobEvents, noticeEvents, accountEvents, cardEvents, shopEvents)

var messages = []Kind{
	message("text", pageMessages, "A follower wrote a text.",
		text("Content", "the text; line breaks and emoji as they are"),
		id("bizmsgmenuid", "of the tapped item of a msgmenu message, whose label is Content"),
		word("BusinessId", "of a sub-merchant account")),
	message("image", pageMessages, "A follower sent a picture.",
		word("PicUrl", "the picture, often http"),
		word("MediaId", "for get_media, 3 days")),
	message("voice", pageMessages, "A follower sent a voice message.",
		word("MediaId", "for get_media, 3 days"),
		word("Format", "amr, speex, …"),
		word("MediaId16K", "the voice at 16 kHz"),
		text("Recognition", "what was said, where WeChat still recognises speech")),
	message("video", pageMessages, "A follower sent a video.",
		word("MediaId", "for get_media, 3 days"),
		word("ThumbMediaId", "the thumbnail, for get_media")),
	message("shortvideo", pageMessages, "A follower sent a short video.",
		word("MediaId", "for get_media, 3 days"),
		word("ThumbMediaId", "the thumbnail, for get_media")),
	message("location", pageMessages, "A follower sent a position.",
		number("Location_X", "the latitude"),
		number("Location_Y", "the longitude"),
		number("Scale", "the map's zoom"),
		text("Label", "the address")),
	message("link", pageMessages, "A follower shared a link.",
		text("Title", ""),
		text("Description", ""),
		text("Url", "")),
	message("file", pageMessages, "A follower sent a file; no API downloads it, and WeChat's pages don't mention it.",
		text("Title", "the file's name"),
		text("Description", ""),
		word("FileKey", ""),
		word("FileMd5", "hex"),
		integer("FileTotalLen", "bytes")),
	message("miniprogrampage", pageMiniApp, "A user of a mini program sent one of its pages to customer service.",
		text("Title", ""),
		word("AppId", "the mini program's"),
		text("PagePath", ""),
		word("ThumbUrl", ""),
		word("ThumbMediaId", "the thumbnail, for get_media")),
}

var followEvents = []Kind{
	held(event("subscribe", pageEvents, "Somebody follows the account.",
		word("EventKey", "empty; qrscene_ and the scene of a QR code; last_trade_no_ and a payment's id; or scanbarcode|, scanimage| and a product's code"),
		word("Ticket", "of the QR code, for get_qr_code_url"))),
	event("unsubscribe", pageEvents, "A follower left; his data are to be deleted.",
		word("EventKey", "")),
	held(event("SCAN", pageEvents, "A follower scanned a QR code of the account.",
		word("EventKey", "the scene, without a prefix"),
		word("Ticket", "of the QR code, for get_qr_code_url"))),
	held(event("LOCATION", pageEvents, "A follower's phone reported where it is, on entering the chat or every 5 s.",
		number("Latitude", ""),
		number("Longitude", ""),
		number("Precision", "metres"))),
	// The page names the events of menus, codes and positions; one that opens nothing and that no
	// page describes must not hold a callback.
	event("ENTER", pageEvents, "A follower opened the chat; WeChat's pages don't mention it any more.",
		word("EventKey", "")),
	event("debug_demo", pageEvents, "Somebody tried the account's callback URL in WeChat's console.",
		word("debug_str", "what was typed there")),
}

var menuEvents = []Kind{
	held(event("CLICK", pageMenus, "A follower tapped a menu button with a key.",
		word("EventKey", "the button's key"))),
	held(event("VIEW", pageMenus, "A follower tapped a menu button with a link.",
		word("EventKey", "the link"),
		id("MenuId", "of a conditional menu"))),
	held(event("view_miniprogram", pageMenus, "A follower tapped a menu button that opens a mini program.",
		word("EventKey", "the page's path"),
		id("MenuId", "of a conditional menu"))),
	held(event("scancode_push", pageMenus, "A follower scanned a code by a menu button; the phone shows the result.",
		word("EventKey", "the button's key"), scanCodeInfo)),
	held(event("scancode_waitmsg", pageMenus, "A follower scanned a code by a menu button and waits for a reply.",
		word("EventKey", "the button's key"), scanCodeInfo)),
	held(event("pic_sysphoto", pageMenus, "A follower took pictures by a menu button; they follow as image messages.",
		word("EventKey", "the button's key"), sendPicsInfo)),
	held(event("pic_photo_or_album", pageMenus, "A follower took or chose pictures by a menu button; they follow as image messages.",
		word("EventKey", "the button's key"), sendPicsInfo)),
	held(event("pic_weixin", pageMenus, "A follower chose pictures by a menu button; they follow as image messages.",
		word("EventKey", "the button's key"), sendPicsInfo)),
	held(event("location_select", pageMenus, "A follower chose a position by a menu button; it follows as a location message.",
		word("EventKey", "the button's key"),
		object("SendLocationInfo",
			number("Location_X", "the latitude"),
			number("Location_Y", "the longitude"),
			number("Scale", "the map's zoom"),
			text("Label", "the address"),
			text("Poiname", "the place's name")))),
}

var scanCodeInfo = object("ScanCodeInfo",
	word("ScanType", "qrcode, barcode, …"),
	text("ScanResult", "what the code says"))

var sendPicsInfo = object("SendPicsInfo",
	integer("Count", "how many there are"),
	object("PicList", repeated(object("item", word("PicMd5Sum", "hex")))))
