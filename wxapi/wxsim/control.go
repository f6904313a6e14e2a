package wxsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// control is one call of the control interface. Its result is answered as JSON, nil as 204.
type control struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Does   string `json:"does"`
	run    func(p *Platform, r *http.Request) (any, error)
}

// problem is an error with its HTTP status; the text says what is wrong and what to do.
type problem struct {
	status int
	text   string
}

func (e *problem) Error() string { return e.text }

func refuse(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

// controlHandler serves the table of controls, with its own JSON answers to what isn't in it.
func (p *Platform) controlHandler() http.Handler {
	byPath := map[string]map[string]control{}
	for _, c := range controls() {
		if byPath[c.Path] == nil {
			byPath[c.Path] = map[string]control{}
		}
		byPath[c.Path][c.Method] = c
	}
	mux := http.NewServeMux()
	for path, methods := range byPath {
		pattern := path
		if path == "/_sim/" {
			pattern = "/_sim/{$}"
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c, ok := methods[r.Method]
			if !ok {
				allow := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
				w.Header().Set("Allow", allow)
				sayProblem(w, refuse(http.StatusMethodNotAllowed, "%s takes %s, not %s", path, allow, r.Method))
				return
			}
			result, err := c.run(p, r)
			switch {
			case err != nil:
				sayProblem(w, err)
			case result == nil:
				w.WriteHeader(http.StatusNoContent)
			default:
				sayJSON(w, http.StatusOK, result)
			}
		})
	}
	mux.HandleFunc("/_sim/files/{id}", p.serveFile)
	mux.HandleFunc("/_sim/", func(w http.ResponseWriter, r *http.Request) {
		sayProblem(w, refuse(http.StatusNotFound, "there is no %s: GET /_sim/ lists what there is", r.URL.Path))
	})
	return mux
}

func sayJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(v), '\n')) // who has hung up needs no answer
}

func sayProblem(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	var known *problem
	var input *InputError
	text := err.Error()
	switch {
	case errors.As(err, &known):
		status = known.status
	case errors.As(err, &input):
		status, text = http.StatusBadRequest, input.Problem
	case errors.Is(err, ErrNoCallback):
		status = http.StatusConflict
	}
	sayJSON(w, status, map[string]string{"error": text})
}

// maxControl is more than any body of the control interface needs.
const maxControl = 2 << 20

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxControl+1))
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body ended too soon: %v", err)
	case len(body) > maxControl:
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is longer than %d bytes", maxControl)
	}
	return body, nil
}

// readInto decodes a body strictly: a misspelt field would otherwise be a fault that never strikes.
func readInto(r *http.Request, v any, example string) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(v)
	if err == nil && decoder.More() {
		err = errors.New("there is more after the end of the object")
	}
	if err == nil {
		return nil
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if errors.Is(err, io.EOF) {
		text = "it is empty"
	}
	if fields := fieldNames(reflect.TypeOf(v).Elem()); len(fields) > 0 {
		text += "; the fields are " + strings.Join(fields, ", ")
	}
	return refuse(http.StatusBadRequest, "the body is wrong: %s; for example %s", text, example)
}

func fieldNames(t reflect.Type) (names []string) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// onlyQuery refuses query options that there aren't.
func onlyQuery(r *http.Request, known ...string) error {
	for name := range r.URL.Query() {
		if !slices.Contains(known, name) {
			return refuse(http.StatusBadRequest, "unknown query option %q: there is %s", name, or(strings.Join(known, ", "), "none"))
		}
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
