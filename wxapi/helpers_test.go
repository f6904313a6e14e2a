package wxapi_test

import (
	"io/fs"
	"net/http/httptest"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

var errNotExist = fs.ErrNotExist

func newRecorder(status int, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	return w
}

func freshToken() wxapi.Token {
	return wxapi.Token{Value: "82_token_in_the_store_in_the_store", Expires: time.Now().Add(time.Hour)}
}
