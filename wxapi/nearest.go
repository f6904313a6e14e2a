package wxapi

import (
	"maps"
	"slices"
	"strings"
)

// spellings are the names of the PHP SDK this project grew out of, where they
// differ from ours.
var spellings = map[string]string{
	"send_custom_text_message":    "send_custom_message",
	"send_custom_image_message":   "send_custom_message",
	"send_custom_voice_message":   "send_custom_message",
	"send_custom_video_message":   "send_custom_message",
	"send_custom_music_message":   "send_custom_message",
	"send_custom_news_message":    "send_custom_message",
	"send_callback_text_message":  "send_custom_message",
	"send_callback_image_message": "send_custom_message",
	"send_callback_voice_message": "send_custom_message",
	"send_callback_video_message": "send_custom_message",
	"send_callback_music_message": "send_custom_message",
	"send_callback_news_message":  "send_custom_message",
	"get_qr_code_forever":         "create_qr_code",
	"get_qr_code_temporary":       "create_qr_code",
}

// Nearest is the name of the verb that a caller of the unknown verb name most
// likely meant, or "" when none is near.
func Nearest(name string) string {
	name = strings.ToLower(strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(name))
	if meant := spellings[name]; registry[meant] != nil {
		return meant
	}
	return NearestOf(name, slices.Sorted(maps.Keys(registry)), 3)
}

// NearestOf is the first of the candidates with the least edit distance to name,
// or "" when more than one part of so many of it would have to change.
func NearestOf(name string, candidates []string, parts int) string {
	best, least := "", len(name)/parts+1
	if len(name) > 100 { // a stranger's novel is not worth the time
		return best
	}
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's: how many bytes must be changed, added or removed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
