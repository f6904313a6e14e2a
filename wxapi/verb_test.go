package wxapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

var update = flag.Bool("update", false, "write testdata/verbs/*/http.txt anew")

// TestVerbs walks all rows. Each has a folder below testdata/verbs with
//
//	request.json  the data of a call, from WeChat's documentation
//	http.txt      the request that must come of it (-update writes it)
//	answer.json   WeChat's documented answer
//
// and for other forms of a call request-<form>.json and its two companions, of
// which the answer may be that of request.json. So a row cannot be added without
// showing what it does.
func TestVerbs(t *testing.T) {
	for _, row := range wxapi.Verbs() {
		t.Run(row.Name, func(t *testing.T) {
			checkRow(t, row)
			for _, s := range samplesOf(t, row) {
				if row.Body == wxapi.Local {
					answersItself(t, row, s)
				} else {
					answered(t, row, s)
				}
			}
		})
	}
	folders, err := os.ReadDir(filepath.Join("testdata", "verbs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if _, known := wxapi.Lookup(f.Name()); !known {
			t.Errorf("testdata/verbs/%s belongs to no verb", f.Name())
		}
	}
}

// example is one form of a call.
type example struct {
	form            string // "" or "-<form>"
	request, answer []byte
}

func samplesOf(t *testing.T, row *wxapi.Row) (all []example) {
	t.Helper()
	files, err := filepath.Glob(folder(row, "request*.json"))
	if err != nil {
		t.Fatal(err)
	}
	sample(t, row, "request.json")
	for _, file := range files {
		form := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "request"), ".json")
		s := example{form: form, request: sample(t, row, "request"+form+".json")}
		if s.answer, err = os.ReadFile(folder(row, "answer"+form+".json")); err != nil {
			s.answer = sample(t, row, "answer.json")
		}
		all = append(all, s)
	}
	return all
}

// answered: what is sent is what http.txt has, what comes back fits the types.
func answered(t *testing.T, row *wxapi.Row, s example) {
	t.Helper()
	if warnings, err := row.Check(s.request); err != nil || len(warnings) > 0 {
		t.Errorf("request%s.json: %v, unknown: %v", s.form, err, warnings)
	}
	sameAfterType(t, row.Request, s.request)

	var got string
	var p *platform
	p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/the/file" {
			fmt.Fprint(w, "\x00\x00\x00\x18ftypmp42")
			return
		}
		got = dump(r)
		_, _ = w.Write(bytes.ReplaceAll(s.answer, []byte("http://SERVER"), []byte(p.URL)))
	})
	p.token = "ACCESS_TOKEN"
	client := p.client(t)
	result, err := client.CallJSON(t.Context(), row, s.request)
	if err != nil || len(result.Warnings) > 0 {
		t.Fatal(err, result.Warnings)
	}
	if row.Body != wxapi.Download {
		sameAfterType(t, row.Response, s.answer)
	}
	into := reflect.New(row.Response).Interface()
	if err := json.Unmarshal(result.Response, into); err != nil {
		t.Errorf("%s does not fit %T: %v", result.Response, into, err)
	}
	golden(t, row, "http"+s.form+".txt", got)
	typedCall(t, client, row, s.request)
}

// answersItself: a verb that calls nobody answers what answer.json has.
func answersItself(t *testing.T, row *wxapi.Row, s example) {
	t.Helper()
	client, err := wxapi.New(wxapi.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.CallJSON(t.Context(), row, s.request)
	if err != nil || len(result.Warnings) > 0 || result.Requests != 0 {
		t.Fatalf("%v, unknown: %v", err, result.Warnings)
	}
	if got := string(result.Response); got != strings.TrimSpace(string(s.answer)) {
		t.Errorf("answered\n%s\nbut answer%s.json has\n%s", got, s.form, s.answer)
	}
	sameAfterType(t, row.Request, s.request)
	sameAfterType(t, row.Response, s.answer)
	typedCall(t, client, row, s.request)
}

func checkRow(t *testing.T, row *wxapi.Row) {
	t.Helper()
	if !strings.HasPrefix(row.Doc, "https://developers.weixin.qq.com/") {
		t.Errorf("Doc is %q", row.Doc)
	}
	if row.Summary() == "" || strings.Contains(row.Summary(), "http") {
		t.Errorf("the comment begins with %q", row.Summary())
	}
	if !regexp.MustCompile(`^[a-z]+(_[a-z0-9]+)+$`).MatchString(row.Name) {
		t.Error("the name is not snake case")
	}
	if (row.Retry == wxapi.Keyed) != (row.Key != "" && row.KeyLife > 0) {
		t.Error("Keyed wants Key and KeyLife, and they want Keyed")
	}
	fields := map[string]bool{"": true}
	for i := range row.Request.NumField() {
		name, _, _ := strings.Cut(row.Request.Field(i).Tag.Get("json"), ",")
		fields[name] = true
	}
	for _, name := range append(slices.Concat(row.Query, row.Secret), row.Lane, row.Key) {
		if !fields[name] {
			t.Errorf("the row names the field %q, which the request lacks", name)
		}
	}
}

func folder(row *wxapi.Row, name string) string {
	return filepath.Join("testdata", "verbs", row.Name, name)
}

func sample(t *testing.T, row *wxapi.Row, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(folder(row, name))
	if err != nil {
		t.Fatalf("each verb needs a sample: %v", err)
	}
	return data
}

// sameAfterType: the Go type holds all that the sample has, and nothing else.
// errcode and errmsg are in every answer and in no type.
func sameAfterType(t *testing.T, typ reflect.Type, data []byte) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	v := reflect.New(typ).Interface()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	for _, either := range []map[string]any{got, want} {
		delete(either, "errcode")
		delete(either, "errmsg")
	}
	if got, want := withoutEmpty(got), withoutEmpty(want); !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nthrough %s is\n%v", want, typ, got)
	}
}

// withoutEmpty drops what omitempty may drop.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	case map[string]any:
		for key, value := range v {
			v[key] = withoutEmpty(value)
			list, isList := value.([]any)
			object, isObject := value.(map[string]any)
			if value == nil || value == "" || value == float64(0) || value == false || isList && len(list) == 0 || isObject && len(object) == 0 {
				delete(v, key)
			}
		}
	}
	return v
}

// dump is a request as it stands in http.txt.
func dump(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	kind := r.Header.Get("Content-Type")
	if _, params, err := mime.ParseMediaType(kind); err == nil && params["boundary"] != "" {
		kind = strings.ReplaceAll(kind, params["boundary"], "BOUNDARY")
		body = bytes.ReplaceAll(body, []byte(params["boundary"]), []byte("BOUNDARY"))
	}
	text := r.Method + " " + r.URL.RequestURI() + "\n"
	if kind != "" {
		text += "Content-Type: " + kind + "\n"
	}
	return strings.ReplaceAll(text+"\n"+string(body), "\r\n", "\n") + "\n"
}

func golden(t *testing.T, row *wxapi.Row, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(folder(row, name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(sample(t, row, name)); got != want {
		t.Errorf("sent\n%s\nbut %s has\n%s", got, name, want)
	}
}

// typedCall calls the generated method, which has the verb's name, as Go writes it.
func typedCall(t *testing.T, client *wxapi.Client, row *wxapi.Row, request []byte) {
	t.Helper()
	for i := range reflect.TypeOf(client).NumMethod() {
		method := reflect.ValueOf(client).Method(i)
		if name := reflect.TypeOf(client).Method(i).Name; strings.ToLower(name) != strings.ReplaceAll(row.Name, "_", "") {
			continue
		}
		req := reflect.New(row.Request)
		if err := json.Unmarshal(request, req.Interface()); err != nil {
			t.Fatal(err)
		}
		out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), req})
		if err, failed := out[1].Interface().(error); failed {
			t.Errorf("the typed call: %v", err)
		}
		return
	}
	t.Errorf("no method is called %s: run go generate", row.Name)
}
