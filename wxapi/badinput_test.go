package wxapi_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// Every field of every row refuses what its type and tags say it must, with its
// path and the limit, and takes what is at the limit. The fields are found in the
// request types, so a new row is looked at without a line here.
func TestEveryFieldIsChecked(t *testing.T) {
	probes := 0
	for _, row := range wxapi.Verbs() {
		samples := samplesOf(t, row)
		for _, f := range fieldsOf(row.Request, nil) {
			sample := decoded(t, samples[0].request)
			for _, s := range samples { // the first that has the object which the field is of
				if other := decoded(t, s.request); find(other, placed(f.path, other)[:len(f.path)-1]) != nil {
					sample = other
					break
				}
			}
			f.path = placed(f.path, sample)
			for _, p := range probesOf(f, sample) {
				probes++
				data := encoded(t, with(sample, f.path, p.value))
				_, err := row.Check(data)
				refused, isRequest := errors.AsType[*wxapi.RequestError](err)
				at := f.path.String() + p.below
				switch {
				case p.within != "" && isRequest && refused.Path == at && strings.Contains(refused.Problem, p.within):
					t.Errorf("%s: %s is refused at its limit: %v", row.Name, at, err)
				case p.within == "" && (!isRequest || refused.Path != at || !strings.Contains(refused.Problem, p.problem)):
					t.Errorf("%s %.200s: %v, want %s: %s", row.Name, data, err, at, p.problem)
				}
			}
		}
	}
	if probes < 15*len(wxapi.Verbs()) {
		t.Errorf("only %d probes", probes)
	}
}

// An unknown field, however deep it is, is named and does not stop a call; so is
// one that differs from a known one in its case.
func TestUnknownFieldsOfEveryRow(t *testing.T) {
	for _, row := range wxapi.Verbs() {
		known := decoded(t, sample(t, row, "request.json"))
		for _, at := range objectsOf(row.Request, known, nil) {
			path := append(slices.Clone(at), "From_Tomorrow")
			warnings, err := row.Check(encoded(t, with(known, path, json.Number("9007199254740993"))))
			if err != nil || !slices.Equal(warnings, []string{path.String()}) {
				t.Errorf("%s: %v, %v", row.Name, warnings, err)
			}
		}
	}
}

// No row lets anybody be called with data that is none.
func TestNobodyIsCalledForNonsense(t *testing.T) {
	p := newPlatform(t, ok)
	client := p.client(t)
	for _, row := range wxapi.Verbs() {
		for _, data := range []string{``, `[]`, `null`, `{`, `{"a":1,"a":2}`, `{"appid":"wx1"}`, "{\"a\":\"\xff\"}"} {
			result, err := client.CallJSON(t.Context(), row, []byte(data))
			if refused, isRequest := errors.AsType[*wxapi.RequestError](err); !isRequest || refused.Verb != row.Name || result.Requests != 0 {
				t.Errorf("%s %q: %v", row.Name, data, err)
			}
		}
	}
	if calls, tokens := p.seen(); len(calls)+tokens != 0 {
		t.Errorf("%d calls, %d tokens", len(calls), tokens)
	}
}

// unlimited are required texts for which WeChat names no limit that could be
// checked here: names that WeChat or the account's console gave out, and texts
// whose length is a matter of the row's own check.
var unlimited = map[string]string{
	"media_id": "WeChat's name for a file", "thumb_media_id": "WeChat's name for a file", "image_media_id": "WeChat's name for a file",
	"template_id": "WeChat's name for a template", "priTmplId": "WeChat's name for a template", "template_id_short": "WeChat's name for a template",
	"article_id": "WeChat's name for an article", "card_id": "WeChat's name for a card", "ticket": "WeChat's name for a code",
	"short_key": "WeChat's name for a text", "rid": "WeChat's name for a request", "voice_id": "the account's name for a voice",
	"code": "given out by WeChat", "refresh_token": "given out by WeChat", "access_token": "given out by WeChat",
	"appid": "of a mini program", "from_appid": "of another account", "pagepath": "of a mini program",
	"kf_account": "checked as a whole", "cgi_path": "checked as a whole",
	"begin_date": "checked as a whole", "end_date": "checked as a whole", "redirect_uri": "checked as a whole", "redirect_url": "checked as a whole", "ids": "a list of WeChat's numbers",
	"invite_wx": "a WeChat id", "user_id": "a WeChat id or an OpenID", "musicurl": "an address", "url": "an address of a mini program's link",
	"id": "the account's name for an answer", "content": "a text of a menu or a comment", "title": "of a link or a video",
}

// A required text without any limit stands out.
func TestRequiredTextsHaveLimits(t *testing.T) {
	unseen := maps.Clone(unlimited)
	for _, row := range wxapi.Verbs() {
		for _, f := range fieldsOf(row.Request, nil) {
			if f.Type.Kind() != reflect.String || !f.has("required") || f.Type == reflect.TypeFor[wxapi.ID]() {
				continue
			}
			if f.has("max") || f.has("runes") || f.has("one") || f.has("openid") || f.has("id") || f.has("switch") {
				continue
			}
			name := f.path[len(f.path)-1].(string)
			delete(unseen, name)
			if unlimited[name] == "" {
				t.Errorf("%s: %s has no limit: give it one, or say in this test why there is none", row.Name, f.path)
			}
		}
	}
	for name := range unseen {
		t.Errorf("no required text is called %s any more", name)
	}
}
