package wxapi

import (
	"encoding/json"
	"strconv"
)

// ID is a number of 64 bits by which WeChat names messages, jobs and comments.
// In answers it is text, since languages whose numbers are floats would round
// it. A request may have either, and goes out with the number that WeChat
// documents.
type ID string

// MarshalJSON writes the number.
func (id ID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil {
		return strconv.AppendInt(nil, n, 10), nil
	}
	if id == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(id))
}

// UnmarshalJSON reads a number or its digits.
func (id *ID) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(id))
	}
	var n json.Number
	err := json.Unmarshal(data, &n)
	*id = ID(n)
	return err
}
