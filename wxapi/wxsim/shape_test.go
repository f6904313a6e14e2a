package wxsim

import (
	"encoding/json"
	"reflect"
	"testing"
)

// stubborn reads a string and nothing else.
type stubborn string

func (s *stubborn) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	*s = stubborn(text)
	return nil
}

type base struct {
	ID int64 `json:"id"`
}

type button struct {
	Name string   `json:"name"`
	Sub  []button `json:"sub_button"`
}

// TestExample: a made-up value decodes into whatever type an answer may have.
func TestExample(t *testing.T) {
	type everything struct {
		base
		ErrCode int               `json:"errcode"`
		Flag    bool              `json:"flag"`
		Ratio   float64           `json:"ratio"`
		Raw     json.RawMessage   `json:"raw"`
		Own     stubborn          `json:"own"`
		Bytes   []byte            `json:"bytes"`
		Many    map[string]string `json:"many"`
		Any     any               `json:"any"`
		Pointer *base             `json:"pointer"`
		Menu    []button          `json:"menu"`
		Hidden  func()            `json:"-"`
		unseen  int
	}
	text := encode(example(reflect.TypeFor[everything](), 0))
	var got everything
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if got.ErrCode != 0 || !got.Flag || got.Ratio != 1 || got.Own == "" || got.Pointer.ID != 1 || got.ID != 1 ||
		got.Menu[0].Sub[0].Name == "" || got.unseen != 0 {
		t.Errorf("%s", text)
	}
}
