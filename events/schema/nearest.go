package schema

import "strings"

// Nearest lists the names that an unknown one most likely stands for: those with
// the same end (text, send_custom_message), else the one that is spelled almost
// so. There may be none.
func Nearest(name string) []string {
	if len(name) > 100 { // a novel is nobody's misspelling
		return nil
	}
	var same []string
	end := "." + name[strings.LastIndexByte(name, '.')+1:]
	best, least := "", len(name)/4+1
	for _, candidate := range Names() {
		if strings.HasSuffix(candidate, end) {
			same = append(same, candidate)
		}
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	if len(same) == 0 && best != "" {
		return []string{best}
	}
	return same
}

// distance is how many bytes must be changed, added or removed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := before
			if a[i] != b[j] {
				changed++
			}
			before, row[j+1] = row[j+1], min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
