package schema

import (
	"strings"

	"github.com/wxbridge/wxbridge/wxapi"
)

// Nearest lists the names that an unknown one most likely stands for: those with
// the same end (text, send_custom_message), else the one that is spelled almost
// so. There may be none.
func Nearest(name string) []string {
	if len(name) > 100 { // a novel is nobody's misspelling
		return nil
	}
	var same []string
	end := "." + name[strings.LastIndexByte(name, '.')+1:]
	for _, candidate := range Names() {
		if strings.HasSuffix(candidate, end) {
			same = append(same, candidate)
		}
	}
	if best := wxapi.NearestOf(name, Names(), 4); len(same) == 0 && best != "" {
		return []string{best}
	}
	return same
}
