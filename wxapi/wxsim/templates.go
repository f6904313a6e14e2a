package wxsim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	stateful(endpoint{name: "send_template_message", method: "POST", path: "/cgi-bin/message/template/send", body: bodyJSON, run: sendTemplate})
	stateful(endpoint{name: "add_template", method: "POST", path: "/cgi-bin/template/api_add_template", body: bodyJSON, run: addTemplate})
	stateful(endpoint{name: "get_templates", method: "GET", path: "/cgi-bin/template/get_all_private_template", run: getTemplates})
	stateful(endpoint{name: "delete_template", method: "POST", path: "/cgi-bin/template/del_private_template", body: bodyJSON, run: deleteTemplate})
	stateful(endpoint{name: "set_industry", method: "POST", path: "/cgi-bin/template/api_set_industry", body: bodyJSON, run: setIndustry})
	stateful(endpoint{name: "get_industry", method: "GET", path: "/cgi-bin/template/get_industry", run: getIndustry})
}

const (
	maxTemplates    = 25
	templateKeyLife = 10 * time.Minute // for which a client_msg_id is remembered
)

// templates are the account's message templates, the trades they are for, and what was sent of late. The platform's
// lock guards it.
type templates struct {
	list       []wxapi.Template
	industries [2]string
	chosen     string // the month of set_industry
	sent       once[int64]
}

func newTemplates(ids []string) templates {
	t := templates{sent: once[int64]{}}
	for _, id := range ids {
		t.list = append(t.list, wxapi.Template{TemplateID: id, Title: id})
	}
	return t
}

func (t *templates) find(id string) int {
	return slices.IndexFunc(t.list, func(one wxapi.Template) bool { return one.TemplateID == id })
}

// sendTemplate is message/template/send. A client_msg_id that was there in the last ten minutes sends nothing and is
// answered as the first time. TEMPLATESENDJOBFINISH follows the answer.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
func sendTemplate(p *Platform, x *exchange) answer {
	var req struct {
		ToUser      string       `json:"touser"`
		TemplateID  string       `json:"template_id"`
		ClientMsgID string       `json:"client_msg_id"`
		Data        templateData `json:"data"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f, code := p.recipient(req.ToUser)
	i := p.templates.find(req.TemplateID)
	switch {
	case code != 0:
		return failure(code)
	case i < 0:
		return failure(40037)
	}
	id, again := p.templates.sent.get(req.ClientMsgID, x.now)
	if !again {
		id = p.newJobID()
		p.templates.sent.put(req.ClientMsgID, id, x.now, templateKeyLife)
		p.deliver(f, Seen{Kind: SeenTemplate, Text: fillIn(p.templates.list[i].Content, req.Data), Message: withoutRecipient(x.body)})
		x.announce(f.openID, struct {
			MsgType, Event, MsgID, Status string
		}{"event", "TEMPLATESENDJOBFINISH", fmt.Sprint(id), "success"})
	}
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id})
}

// templateData are the values of a message by their names.
type templateData map[string]struct {
	Value scalarText `json:"value"`
}

// scalarText is a string, or a number that stands in the place of one.
type scalarText string

func (s *scalarText) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		text = string(data)
	}
	*s = scalarText(text)
	return nil
}

// fillIn is what a template message reads like. Of a template whose text nobody knows it is the values.
func fillIn(content string, data templateData) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(data)) {
		content = strings.ReplaceAll(content, "{{"+name+".DATA}}", string(data[name].Value))
		lines = append(lines, string(data[name].Value))
	}
	if content == "" {
		return strings.Join(lines, "\n")
	}
	return content
}

func addTemplate(p *Platform, x *exchange) answer {
	var req wxapi.AddTemplateRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch {
	case req.TemplateIDShort == "":
		return failure(40037)
	case len(p.templates.list) >= maxTemplates:
		return failure(45026)
	}
	content := "{{first.DATA}}\n"
	names := req.KeywordNameList
	if len(names) == 0 {
		names = []string{"内容"}
	}
	for i, name := range names {
		content += fmt.Sprintf("%s:{{keyword%d.DATA}}\n", name, i+1)
	}
	t := wxapi.Template{
		TemplateID: newTemplateID(), Title: req.TemplateIDShort, PrimaryIndustry: "IT科技", DeputyIndustry: "互联网|电子商务",
		Content: content + "{{remark.DATA}}",
	}
	p.templates.list = append(p.templates.list, t)
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "template_id": t.TemplateID})
}

// newTemplateID has 43 characters, as WeChat's.
func newTemplateID() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func getTemplates(p *Platform, _ *exchange) answer {
	return object(map[string]any{"template_list": append([]wxapi.Template{}, p.templates.list...)})
}

func deleteTemplate(p *Platform, x *exchange) answer {
	var req wxapi.DeleteTemplateRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	i := p.templates.find(req.TemplateID)
	if i < 0 {
		return failure(40037)
	}
	p.templates.list = slices.Delete(p.templates.list, i, i+1)
	return ok()
}

// setIndustry works once a month.
func setIndustry(p *Platform, x *exchange) answer {
	var req struct {
		First  any `json:"industry_id1"`
		Second any `json:"industry_id2"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	month := x.now.In(china).Format("2006-01")
	switch {
	case req.First == nil || req.Second == nil:
		return failure(40097)
	case p.templates.chosen == month:
		return failure(43100)
	}
	p.templates.industries, p.templates.chosen = [2]string{fmt.Sprint(req.First), fmt.Sprint(req.Second)}, month
	return ok()
}

// industryNames are the first of WeChat's table of trades; any other shows its number.
var industryNames = map[string][2]string{
	"1": {"IT科技", "互联网|电子商务"}, "2": {"IT科技", "IT软件与服务"}, "3": {"IT科技", "IT硬件与设备"}, "4": {"IT科技", "电子技术"},
}

func getIndustry(p *Platform, _ *exchange) answer {
	tell := func(id string) map[string]string {
		name, known := industryNames[id]
		if !known {
			name = [2]string{id, id}
		}
		return map[string]string{"first_class": name[0], "second_class": name[1]}
	}
	return object(map[string]any{
		"primary_industry": tell(p.templates.industries[0]), "secondary_industry": tell(p.templates.industries[1]),
	})
}
