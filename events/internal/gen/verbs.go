package gen

import (
	"reflect"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// about is what a verb does and what limits it.
func (s *source) about(row *wxapi.Row) string {
	text := s.docs.text["verb "+row.Name]
	if text == "" {
		text = row.Summary()
	}
	return text
}

// command is the schema of a verb's data: WeChat's own request body.
func (s *source) command(row *wxapi.Row) (schema, error) {
	samples, err := s.sample("wxapi/testdata/verbs/" + row.Name + "/request.json")
	if err != nil {
		return schema{}, err
	}
	body, err := types{docs: s.docs, purpose: sent}.of(row.Request)
	if err != nil {
		return schema{}, err
	}
	reserved := list("appid", "secret", "appsecret", "access_token")
	if row.Auth == wxapi.CallerToken {
		reserved = reserved[:3]
		body = withToken(body)
	}
	only := ""
	if row.CallOnly {
		only = "It carries credentials, so it is answered on wx.call alone and rejected on wx.cmd."
	}
	return schema{name(events.Cmd, row.Name), obj(
		"description", paragraphs(s.about(row), only, row.Doc),
		"$comment", "Fields that are not listed are passed on to WeChat and named in the result's warnings. The account's credentials come from the configuration.",
	).with(body).with(obj("propertyNames", obj("not", obj("enum", reserved)), "examples", samples))}, nil
}

// withToken adds the credential of a verb that takes it from its caller.
func withToken(body object) object {
	properties, _ := body.get("properties").(object)
	required, _ := body.get("required").([]any)
	if properties.get("access_token") != nil {
		return body
	}
	token := obj("description", "The caller's token, as get_oauth_access_token answers it.", "type", "string", "minLength", 1)
	return object{
		{"type", "object"},
		{"properties", append(object{{"access_token", token}}, properties...)},
		{"required", append(list("access_token"), required...)},
	}.with(body)
}

// result is the schema of a verb's result.
func (s *source) result(row *wxapi.Row) (schema, error) {
	response, err := types{docs: s.docs, purpose: answered}.described(row.Response)
	if err != nil {
		return schema{}, err
	}
	examples, err := s.resultSample(row)
	if err != nil {
		return schema{}, err
	}
	one, err := s.published(name(events.Results, row.Name), reflect.TypeFor[events.Result](), map[string]object{
		"Result.outcome":  s.docs.oneOf("Result"),
		"Result.class":    {{"description", s.actions()}, {"type", "string"}},
		"Result.response": response.with(obj("type", "object")),
	}, examples...)
	one.body = obj("description", "The result of "+row.Name+". "+s.docs.text["events.Result"]+"\n\n"+row.Doc).with(one.body)
	return one, err
}
