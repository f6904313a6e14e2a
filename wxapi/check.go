package wxapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxWarnings bounds the list for data that is nothing but unknown fields.
const maxWarnings = 50

// Check says whether data can be sent, before anything is. It must be a JSON
// object without repeated keys, with the fields the verb needs and within the
// limits WeChat documents; the error is a [*RequestError]. Fields the row does
// not know are fine, since WeChat adds fields before we release: their JSON
// paths are returned.
func (r *Row) Check(data []byte) (warnings []string, err error) {
	_, warnings, err = r.parse(data)
	return warnings, err
}

// Checked is the data of one call that a row has found fit to be sent.
type Checked struct {
	Warnings []string // JSON paths of fields that the row does not know
	row      *Row
	in       *object
}

// Prepare is [Row.Check] for data that are then sent, with [Client.Do], and need
// not be read twice. Beside an error the Checked has its warnings alone.
func (r *Row) Prepare(data []byte) (*Checked, error) {
	in, warnings, err := r.parse(data)
	return &Checked{Warnings: warnings, row: r, in: in}, err
}

// parse is Check that also returns what it has read, ready to be sent.
func (r *Row) parse(data []byte) (*object, []string, error) {
	if r.Body == Local && r.local == nil || r.Body == Upload && r.attach == nil {
		return nil, nil, &RequestError{Verb: r.Name, Problem: "a row of this kind must be one of Verbs"}
	}
	c := &checker{}
	in, problem := c.read(data)
	if problem == nil {
		problem = r.reserved(in)
	}
	if problem == nil && r.shape != nil {
		problem = c.object("", in, r.shape)
	}
	if problem == nil && r.Body == Upload {
		problem = checkUpload(in, r.attach(in))
	}
	if problem == nil && r.checks != nil {
		problem = r.checks(in)
	}
	if problem != nil {
		problem.Verb = r.Name
		return nil, c.unknown, problem
	}
	return in, c.unknown, nil
}

// reserved refuses what comes from the configuration alone. In the data it
// would be a second, contradicting credential, resting in a stream.
func (r *Row) reserved(in *object) *RequestError {
	for _, m := range in.members {
		switch key := strings.ToLower(m.key); {
		case key == "access_token" && r.Auth == CallerToken:
			continue
		case key == "appid", key == "secret", key == "appsecret", key == "access_token":
			return refuse(key, "comes from the configuration and must not be in the data")
		}
	}
	if r.Auth != CallerToken {
		return nil
	}
	token, _ := in.get("access_token")
	if _, isText := token.(string); token != nil && !isText {
		return refuse("access_token", "must be a string")
	} else if token == nil || token == "" {
		return refuse("access_token", "%s", lack(token != nil))
	}
	return nil
}

type checker struct{ unknown []string }

func refuse(path, format string, args ...any) *RequestError {
	return &RequestError{Path: path, Problem: fmt.Sprintf(format, args...)}
}

func (c *checker) read(data []byte) (*object, *RequestError) {
	if !utf8.Valid(data) {
		return nil, refuse("", "is not valid UTF-8; was a text cut in the middle of a character?")
	}
	twice := ""
	in, err := parse(data, cleanText, func(path string) { twice = path })
	switch {
	case err != nil && len(data) == 0:
		return nil, refuse("", "is empty; send a JSON object, {} when there is nothing to say")
	case err != nil:
		return nil, refuse("", "must be a JSON object: %s", printable(err.Error(), 120))
	case twice != "":
		return nil, refuse(twice, "stands twice")
	}
	return in, nil
}

func (c *checker) object(path string, in *object, s *shape) *RequestError {
	for i, m := range in.members {
		f, ok := s.field(m.key)
		if !ok {
			if len(c.unknown) < maxWarnings {
				c.unknown = append(c.unknown, join(path, m.key))
			}
			continue
		}
		if problem := c.value(join(path, m.key), m.value, f); problem != nil {
			return problem
		}
		if f.id {
			in.members[i].value = f.documented(m.value)
		}
	}
	for _, f := range s.fields {
		v, ok := in.get(f.name)
		if f.required && (!ok || isEmpty(v)) {
			return refuse(join(path, f.name), "%s", lack(ok && v != nil))
		}
		if f.choice && f.required {
			if problem := c.selected(path, f.name, in, s); problem != nil {
				return problem
			}
		}
	}
	return nil
}

func lack(present bool) string {
	if present {
		return "is empty"
	}
	return "is missing"
}

func isEmpty(v any) bool {
	list, isList := v.([]any)
	return v == nil || v == "" || isList && len(list) == 0
}

// selected checks that the object named by the switch field is there.
func (c *checker) selected(path, field string, in *object, s *shape) *RequestError {
	name := in.text(field)
	if !slices.Contains(s.cases, name) {
		return refuse(join(path, field), "%s", unknownValue(name, s.cases))
	}
	if v, ok := in.get(name); !ok || v == nil {
		return refuse(join(path, name), "is missing: the type is %s", name)
	}
	return nil
}

func unknownValue(got string, known []string) string {
	s := fmt.Sprintf("%q is not known", printable(got, 40))
	if meant := NearestOf(got, known, 3); meant != "" {
		return s + fmt.Sprintf("; did you mean %q?", meant)
	}
	return s + "; known are " + strings.Join(known, ", ")
}

func (c *checker) value(path string, v any, s *shape) *RequestError {
	if v == nil { // as good as absent; what is required is checked by the parent
		return nil
	}
	if s.id && digits(v) {
		return nil
	}
	switch s.kind {
	case reflect.String:
		text, ok := v.(string)
		if !ok {
			return refuse(path, "must be a string")
		}
		return s.text(path, text)
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			return refuse(path, "must be true or false")
		}
	case reflect.Int64, reflect.Float64:
		n, ok := v.(json.Number)
		if !ok {
			return refuse(path, "must be a number")
		}
		if _, err := strconv.ParseInt(n.String(), 10, 64); err != nil && s.kind == reflect.Int64 {
			return refuse(path, "must be a whole number of 64 bits")
		}
		if s.oneOf != nil && !slices.Contains(s.oneOf, n.String()) {
			return refuse(path, "%s", unknownValue(n.String(), s.oneOf))
		}
	case reflect.Slice:
		return c.list(path, v, s)
	case reflect.Struct:
		in, ok := v.(*object)
		if !ok {
			return refuse(path, "must be an object")
		}
		return c.object(path, in, s)
	}
	return nil
}

// digits says whether v is a whole number of 64 bits, written as a number or as
// a string: JavaScript only has the string.
func digits(v any) bool {
	text, ok := scalar(v)
	_, err := strconv.ParseInt(text, 10, 64)
	return ok && err == nil
}

// documented is an id as WeChat documents the field, be it a number or a string.
func (s *shape) documented(v any) any {
	text, _ := scalar(v)
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return v
	case s.kind == reflect.String:
		return text
	}
	return json.Number(strconv.FormatInt(n, 10))
}

func (c *checker) list(path string, v any, s *shape) *RequestError {
	list, ok := v.([]any)
	if !ok {
		return refuse(path, "must be a list")
	}
	if s.items > 0 && len(list) > s.items {
		return refuse(path, "has %d entries, at most %d are allowed", len(list), s.items)
	}
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item == nil {
			return refuse(at, "is null")
		}
		if item == "" && s.elem.openid {
			return refuse(at, "is empty")
		}
		if problem := c.value(at, item, s.elem); problem != nil {
			return problem
		}
	}
	return nil
}

// isOpenID: 28 characters, says WeChat's documentation of today; its alphabet is
// what matters to us, the length may change.
func isOpenID(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(text) >= 1 && len(text) <= 64
}

func (s *shape) text(path, text string) *RequestError {
	switch {
	case s.bytes > 0 && len(text) > s.bytes:
		return refuse(path, "has %d bytes, at most %d are allowed", len(text), s.bytes)
	case s.runes > 0 && utf8.RuneCountInString(text) > s.runes:
		return refuse(path, "has %d characters, at most %d are allowed", utf8.RuneCountInString(text), s.runes)
	case s.openid && text != "" && !isOpenID(text):
		return refuse(path, "is not an OpenID: those have letters, digits, _ and - only")
	case s.oneOf != nil && text != "" && !slices.Contains(s.oneOf, text):
		return refuse(path, "%s", unknownValue(text, s.oneOf))
	}
	return nil
}
