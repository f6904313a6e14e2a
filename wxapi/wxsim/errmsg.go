package wxsim

import (
	"strconv"

	"github.com/wxbridge/wxbridge/wxapi"
)

// errmsg is the text that WeChat answers with code. Clients must go by the number: the text is here only so that
// an answer looks like the real one.
func errmsg(code int) string {
	if known, ok := wxapi.Known(code); ok {
		return known.Msg
	}
	return "error " + strconv.Itoa(code)
}
