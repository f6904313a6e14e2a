package wxapi_test

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

func TestEveryErrcodeHasOneClass(t *testing.T) {
	rows := append(wxapi.Verbs(), nil, &wxapi.Row{Auth: wxapi.AppSecret}, &wxapi.Row{Auth: wxapi.AppID}, &wxapi.Row{Auth: wxapi.CallerToken})
	for _, row := range rows {
		for code := -100; code < 100_000; code++ {
			if class := wxapi.Classify(row, code); !slices.Contains(wxapi.Classes(), class) {
				t.Fatalf("%d is %q", code, class)
			}
		}
	}
	for _, code := range wxapi.Codes() {
		if code.Msg == "" || code.Class == wxapi.ClassOK && code.Code != 45065 {
			t.Errorf("%+v", code)
		}
		if help := wxapi.Help(code.Code); help == "" || strings.ContainsAny(help, "\n") {
			t.Errorf("%d: help %q", code.Code, help)
		}
	}
}

func TestClasses(t *testing.T) {
	mine := &wxapi.Row{Classes: map[int]wxapi.Class{46003: wxapi.ClassOK}}
	for _, test := range []struct {
		row  *wxapi.Row
		code int
		want wxapi.Class
	}{
		{nil, 0, wxapi.ClassOK},
		{nil, -1, wxapi.ClassBackoff},
		{nil, 40001, wxapi.ClassToken},
		{nil, 40164, wxapi.ClassConfig},
		{nil, 45009, wxapi.ClassQuota},
		{nil, 45011, wxapi.ClassMinute},
		{nil, 45015, wxapi.ClassUser},
		{nil, 45065, wxapi.ClassOK},
		{nil, 48001, wxapi.ClassRight},
		{nil, 47001, wxapi.ClassBug},
		{nil, 40007, wxapi.ClassPermanent},
		{nil, 53401, wxapi.ClassPermanent},
		{nil, 9001003, wxapi.ClassPermanent},
		{nil, 88005, wxapi.ClassPermanent},
		{nil, 200014, wxapi.ClassPermanent},
		{nil, 65311, wxapi.ClassBug},
		{nil, 7654321, wxapi.ClassBackoff},
		{mine, 46003, wxapi.ClassOK},
		{&wxapi.Row{Auth: wxapi.AppSecret}, 40001, wxapi.ClassConfig},
		{&wxapi.Row{Auth: wxapi.CallerToken}, 40001, wxapi.ClassPermanent},
		{&wxapi.Row{Auth: wxapi.CallerToken}, 45011, wxapi.ClassMinute},
	} {
		if got := wxapi.Classify(test.row, test.code); got != test.want {
			t.Errorf("%d is %s, want %s", test.code, got, test.want)
		}
	}
	if _, known := wxapi.Known(7654321); known || wxapi.Help(7654321) == "" {
		t.Error("an unknown code")
	}
}

// TestClassesOfTheList: testdata/errcodes.txt has a class and its codes or ranges
// of codes in each line, as the reference sorts WeChat's list.
func TestClassesOfTheList(t *testing.T) {
	list, err := os.ReadFile("testdata/errcodes.txt")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		want := words[0]
		if theirs, ours, differ := strings.Cut(want, ">"); differ {
			if want = ours; ours == theirs {
				t.Errorf("%q: no difference", words[0])
			}
		}
		for _, codes := range words[1:] {
			first, last, isRange := strings.Cut(strings.TrimPrefix(codes, "-"), "-")
			from, err1 := strconv.Atoi(first)
			if codes[0] == '-' {
				from = -from
			}
			to := from
			var err2 error
			if isRange {
				to, err2 = strconv.Atoi(last)
			}
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			for code := from; code <= to; code++ {
				looked++
				if got := wxapi.Classify(nil, code); string(got) != want {
					t.Errorf("%d is %s, not %s", code, got, want)
				}
			}
		}
	}
	if looked < 1200 {
		t.Errorf("only %d codes in the list", looked)
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"send_custom_message":        "send_custom_message",
		"send_custom_text_message":   "send_custom_message",
		"send_callback_news_message": "send_custom_message",
		"sendcustommessage":          "send_custom_message",
		"Send-Custom-Message":        "send_custom_message",
		"get_group":                  "get_groups",
		"upload_medias":              "upload_media",
		"get_qr_code_forever":        "create_qr_code",
		"get_qr_code_temporary":      "create_qr_code",
		"get_OAuth_access_token":     "get_oauth_access_token",
		"refresh_OAuth_access_token": "refresh_oauth_access_token",
		"creat_menu":                 "create_menu",
		"getuserinfo":                "get_user_info",
		"launch_rocket":              "",
		"":                           "",
		strings.Repeat("x", 1000):    "",
	} {
		if got := wxapi.Nearest(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
