package wxsim

import (
	"bytes"
	"slices"
)

func init() {
	stateful(endpoint{name: "create_menu", method: "POST", path: "/cgi-bin/menu/create", body: bodyJSON, run: createMenu})
	stateful(endpoint{name: "get_menu", method: "GET", path: "/cgi-bin/menu/get", run: getMenu})
	stateful(endpoint{name: "delete_menu", method: "GET", path: "/cgi-bin/menu/delete", run: deleteMenu})
	stateful(endpoint{name: "get_current_menu", method: "GET", path: "/cgi-bin/get_current_selfmenu_info", run: getCurrentMenu})
}

// menus are the account's menus. The platform's lock guards them.
type menus struct {
	buttons     []menuButton // of the default menu; nil when there is none
	id          int64        // of the default menu
	conditional []conditionalMenu
	made        int64
}

// menuButton is an entry of a menu, written as WeChat reads it back: with a sub_button at every level.
type menuButton struct {
	Type      string       `json:"type,omitempty"`
	Name      string       `json:"name"`
	Key       string       `json:"key,omitempty"`
	URL       string       `json:"url,omitempty"`
	AppID     string       `json:"appid,omitempty"`
	PagePath  string       `json:"pagepath,omitempty"`
	MediaID   string       `json:"media_id,omitempty"`
	ArticleID string       `json:"article_id,omitempty"`
	SubButton []menuButton `json:"sub_button"`
}

// firstMenuID is about where WeChat's ids of menus are.
const firstMenuID = 208_379_533

func (m *menus) nextID() int64 {
	m.made++
	return firstMenuID + m.made
}

func createMenu(p *Platform, x *exchange) answer {
	var req struct {
		Button []menuButton `json:"button"`
	}
	if a, ok := x.menu(&req); !ok {
		return a
	}
	if code := checkMenu(req.Button); code != 0 {
		return failure(code)
	}
	p.menus.buttons, p.menus.id = req.Button, p.menus.nextID()
	return ok()
}

// menu decodes the body of a menu. WeChat takes no \u escapes there, though they are good JSON.
func (x *exchange) menu(v any) (answer, bool) {
	if escaped(x.body) {
		return failure(40033), false
	}
	return x.decode(v)
}

// escaped tells whether a JSON text has a \u escape in it. A backslash that is itself escaped begins none.
func escaped(body []byte) bool {
	for {
		i := bytes.IndexByte(body, '\\')
		if i < 0 || i+1 >= len(body) {
			return false
		}
		if body[i+1] == 'u' {
			return true
		}
		body = body[i+2:]
	}
}

// getMenu is menu/get. The menu has an id only beside personalised ones, which are listed newest first.
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Querying_Custom_Menus.html
func getMenu(p *Platform, _ *exchange) answer {
	if p.menus.buttons == nil {
		return failure(46003)
	}
	menu := map[string]any{"button": p.menus.buttons}
	all := map[string]any{"menu": menu}
	if len(p.menus.conditional) > 0 {
		menu["menuid"] = p.menus.id
		list := slices.Clone(p.menus.conditional)
		slices.Reverse(list)
		all["conditionalmenu"] = list
	}
	return object(all)
}

// deleteMenu removes the personalised menus too.
func deleteMenu(p *Platform, _ *exchange) answer {
	p.menus.buttons, p.menus.conditional = nil, nil
	return ok()
}

// getCurrentMenu is the same menu in another shape: sub_button is an object with a list, and only where there is one.
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Getting_Custom_Menu_Configurations.html
func getCurrentMenu(p *Platform, _ *exchange) answer {
	open, info := 0, map[string]any{}
	if p.menus.buttons != nil {
		open, info["button"] = 1, currentButtons(p.menus.buttons)
	}
	return object(map[string]any{"is_menu_open": open, "selfmenu_info": info})
}

// currentButton hides the SubButton of the entry that it shows otherwise.
type currentButton struct {
	menuButton
	SubButton *currentList `json:"sub_button,omitempty"`
}

type currentList struct {
	List []currentButton `json:"list"`
}

func currentButtons(buttons []menuButton) []currentButton {
	list := make([]currentButton, len(buttons))
	for i, b := range buttons {
		list[i] = currentButton{menuButton: b}
		if len(b.SubButton) > 0 {
			list[i].SubButton = &currentList{currentButtons(b.SubButton)}
		}
	}
	return list
}
