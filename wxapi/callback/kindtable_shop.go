package callback

// What the services around an account push: shops, goods, invoices, devices and mini programs. Most
// of these services take no new customers; accounts that have them still get the events.
//
// To the ones about things WeChat delivers no passive reply, and for the ones about people it
// promises none (开发者可以调用客服接口向该用户发消息: answer by a custom message). So none is held.
const (
	pageStores     = pages + "WeChat_Stores/WeChat_Store_Interface.html"
	pageStoreApps  = pages + "WeChat_Stores/WeChat_Shop_Miniprogram_Interface.html"
	pageWiFi       = pages + "WiFi_via_WeChat/Sending_messages_after_connection.html"
	pageShake      = pages + "Shake_Nearby/Shake_Event_Notifications.html"
	pageScan       = pages + "WeChat_Scan/Scan_QR_Code_Events_Push.html"
	pageInvoices   = pages + "WeChat_Invoice/E_Invoice/Vendor_API_List.html"
	pageDevices    = "https://iot.weixin.qq.com/wiki/document-2_10.html"
	pageAudit      = "https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/code/audit_event.html"
	pageNickname   = "https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Mini_Program_Basic_Info/wxa_nickname_audit.html"
	pageMediaCheck = "https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html"
)

var shopEvents = []Kind{
	event("poi_check_notify", pageStores, "A store was checked.",
		word("UniqId", "the account's own id of the store, sid"),
		id("PoiId", "WeChat's id of the store"),
		word("Result", "succ or fail"),
		word("msg", "the reason of a refusal")),
	event("apply_merchant_audit_info", pageStoreApps, "The store mini program was checked.", auditFields...),
	event("modify_store_audit_info", pageStoreApps, "A change to a store was checked.", auditFields...),
	event("add_store_audit_info", pageStoreApps, "A new store was checked.", append(auditFields[:len(auditFields):len(auditFields)],
		integer("is_upgrade", "0 a new store, 1 a completed one"),
		id("poiid", "the store, if it was accepted"))...),
	event("create_map_poi_audit_info", pageStoreApps, "A place for Tencent's map was checked.",
		id("audit_id", "of the request"),
		integer("status", "1 accepted, 2 being checked, 3 refused"),
		word("map_poi_id", "the place on Tencent's map"),
		word("name", "the store's name"),
		word("address", ""),
		number("latitude", ""),
		number("longitude", ""),
		word("sh_remark", "a remark of who checked it")),
	event("WifiConnected", pageWiFi, "A customer connected to a store's Wi-Fi.",
		integer("ConnectTime", "Unix seconds"),
		integer("ExpireTime", "reserved"),
		word("VendorId", "reserved"),
		word("ShopId", "the store's shop_id"),
		word("PlaceId", "ShopId in older pushes"),
		word("DeviceNo", "the access point's MAC address, bssid")),
	event("ShakearoundUserShake", pageShake, "A user shook the phone near one of the account's beacons.",
		object("ChosenBeacon", beacon...),
		object("AroundBeacons", repeated(object("AroundBeacon", beacon...)))),
	event("merchant_order", pageEvents, "An order of the account's small store was paid; the store's own pages are gone.",
		word("OrderId", ""),
		integer("OrderStatus", "2 paid and to be shipped, 3 shipped, 5 done, 8 disputed"),
		word("ProductId", ""),
		word("SkuInfo", "pairs of ids, 10001:1000012;10002:100021")),
	product("user_scan_product", "A user opened a product's page.",
		word("Country", "from the user's profile"), word("Province", "likewise"), word("City", "likewise"),
		integer("Sex", "0 unknown, 1 male, 2 female"),
		integer("Scene", "1 by scanning, 2 from a chat, a favourite or a moment"), extInfo),
	product("user_scan_product_enter_session", "A user came to the chat from a product's page.", extInfo),
	product("user_scan_product_async", "Where the user is who opened a product's page, some time later.", extInfo,
		word("RegionCode", "an administrative division of China, six digits")),
	product("user_scan_product_verify_action", "A product's page was checked.",
		word("Result", "verify_ok or verify_not_pass"), word("ReasonMsg", "the reason of a refusal")),
	event("user_authorize_invoice", pageInvoices, "A user asked for an invoice.",
		word("SuccOrderId", "the order, if the request succeeded"), word("FailOrderId", "the order, if it failed"),
		word("AuthorizeAppId", "the app where the user asked"), word("AppId", "AuthorizeAppId in older pushes"),
		word("Source", "web, app or wxa")),
	event("update_invoice_status", pageInvoices, "An invoice in a user's card pack changed its state.",
		word("Status", "INVOICE_REIMBURSE_INIT, _LOCK, _CLOSURE or _CANCEL"), word("CardId", ""), word("Code", "the invoice's")),
	event("submit_invoice_title", pageInvoices, "A user gave the account an invoice title.",
		text("title", ""), text("tax_no", ""), text("addr", ""), text("phone", ""), text("bank_type", "the bank's name"),
		text("bank_no", "the account at the bank"), text("attach", "what the link to the page said"),
		word("title_type", "InvoiceUserTitleBusinessType or InvoiceUserTitlePersonType")),
	event("cloud_invoice_invoiceresult_event", pageInvoices, "An invoice was issued, or not.",
		word("fpqqlsh", "of the request (发票请求流水号)"), integer("status", "0 issued, otherwise an errcode"),
		word("nsrsbh", "the taxpayer's number (纳税人识别号)")),
	device("device_event", "A device was bound to a user or freed, or a user began or ceased to watch its state.",
		word("Event", "bind, unbind, subscribe_status or unsubscribe_status"),
		integer("OpType", "of *_status: 0 ceases, 1 still watches, 2 begins")),
	device("device_text", "A device sent data."),
	event("weapp_audit_success", pageAudit, "A mini program's code was accepted.", integer("SuccTime", "Unix seconds")),
	event("weapp_audit_fail", pageAudit, "A mini program's code was refused.",
		text("Reason", ""), integer("FailTime", "Unix seconds"), word("ScreenShot", "media_ids with | between them")),
	event("weapp_audit_delay", pageAudit, "The check of a mini program's code will take longer.",
		text("Reason", ""), integer("DelayTime", "Unix seconds")),
	event("wxa_nickname_audit", pageNickname, "A mini program's name was checked.",
		integer("ret", "2 refused, 3 accepted"), word("nickname", "the name"), word("reason", "of a refusal")),
	event("wxa_media_check", pageMediaCheck, "A picture or a sound was checked (media_check_async).",
		word("appid", ""), word("trace_id", "the one that media_check_async answered"), integer("version", "2 for the elements that follow"),
		repeated(object("detail",
			word("strategy", "which check"), integer("errcode", "0: the rest is valid"), word("suggest", "risky, pass or review"),
			integer("label", "100 normal, 20001 politics, 20002 pornography, 20006 crime, 21000 others"), integer("prob", "0 to 100, how sure"))),
		integer("errcode", "0 checked"), word("errmsg", ""),
		object("result", word("suggest", "risky, pass or review"), integer("label", "as in detail")),
		integer("isrisky", "in version 1: 0 fine, 1 risky"), word("extra_info_json", "in version 1"), integer("status_code", "in version 1: 0 checked")),
}

var auditFields = []Field{
	id("audit_id", "of the request"),
	integer("status", "1 accepted, 2 being checked, 3 refused"),
	word("reason", "of a refusal"),
}

var beacon = []Field{
	word("Uuid", ""),
	integer("Major", ""),
	integer("Minor", ""),
	number("Distance", "metres"),
}

var extInfo = word("ExtInfo", "what the link to the page said")

func product(name, summary string, fields ...Field) Kind {
	return event(name, pageScan, summary, append([]Field{
		word("KeyStandard", "the kind of code: ean13, ean8, qrcode, …"), word("KeyStr", "the code"),
	}, fields...)...)
}

// device makes the row of a MsgType of WeChat's hardware platform. Its answers have forms of their
// own, and the chat shows none of them.
func device(msgType, summary string, fields ...Field) Kind {
	k := message(msgType, pageDevices, summary, append(fields,
		word("DeviceType", "the account's original id"), word("DeviceID", ""),
		text("Content", "what the device sent, Base64"), id("SessionID", ""), word("OpenID", "the user's"))...)
	k.Held = false
	return k
}
