package wxsim

import "slices"

func init() {
	stateful(endpoint{name: "get_callback_ip", method: "GET", path: "/cgi-bin/getcallbackip", run: addresses})
	stateful(endpoint{name: "get_api_domain_ip", method: "GET", path: "/cgi-bin/get_api_domain_ip", run: addresses})
	stateful(endpoint{name: "check_callback", method: "POST", path: "/cgi-bin/callback/check", body: bodyJSON, run: checkCallbackAddress})
}

// addresses are where the simulator is and calls from, as far as it knows; WeChat mixes addresses and networks.
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
func addresses(*Platform, *exchange) answer {
	return object(map[string]any{"ip_list": []string{"127.0.0.1", "127.0.0.0/8"}})
}

// checkCallbackAddress is callback/check. It looks nothing up: POST /_sim/check really asks the callback.
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html
func checkCallbackAddress(p *Platform, x *exchange) answer {
	var req struct {
		Action        string `json:"action"`
		CheckOperator string `json:"check_operator"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch {
	case p.callback == "":
		return failure(40201)
	case !slices.Contains([]string{"all", "dns", "ping"}, req.Action):
		return failure(40202)
	case !slices.Contains([]string{"DEFAULT", "CHINANET", "UNICOM", "CAP"}, req.CheckOperator):
		return failure(40203)
	}
	operator := "CAP"
	if req.CheckOperator != "DEFAULT" {
		operator = req.CheckOperator
	}
	result := map[string]any{}
	if req.Action != "ping" {
		result["dns"] = []map[string]string{{"ip": "127.0.0.1", "real_operator": operator}}
	}
	if req.Action != "dns" {
		result["ping"] = []map[string]string{{"ip": "127.0.0.1", "from_operator": operator, "package_loss": "0%", "time": "0.042ms"}}
	}
	return object(result)
}
