package gen

import (
	"go/doc"
	"go/doc/comment"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	docLink = regexp.MustCompile(`\[(\*?[A-Z][A-Za-z.]*)\]`)
	onlyURL = regexp.MustCompile(`^(Source: )?https?://\S+$`)
)

// english turns a Go comment into a description for readers who see no Go:
// without the Go name in front, the links to other Go names and the line breaks.
func english(about, name string) string {
	var paragraphs []string
	for p := range strings.SplitSeq(strings.TrimSpace(about), "\n\n") {
		if onlyURL.MatchString(strings.TrimSpace(p)) {
			continue // it stands beside the description
		}
		if !strings.HasPrefix(p, "\t") && !strings.HasPrefix(p, " ") {
			p = strings.Join(strings.Fields(p), " ")
		}
		paragraphs = append(paragraphs, p)
	}
	about = docLink.ReplaceAllString(strings.Join(paragraphs, "\n\n"), "$1")
	if rest, ok := strings.CutPrefix(about, name+" "); ok {
		about = strings.TrimPrefix(strings.TrimPrefix(rest, "is "), "are ")
	} else if rest, ok := strings.CutPrefix(about, name+": "); ok {
		about = rest
	}
	first, size := utf8.DecodeRuneInString(about)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + about[size:]
}

// markdown is the comment of a package as CommonMark, from its first heading
// on: what comes before is about Go.
func (d *docs) markdown(pkg string) string {
	printer := &comment.Printer{HeadingLevel: 2, HeadingID: func(*comment.Heading) string { return "" }}
	parsed := new(comment.Parser).Parse(d.text["package "+pkg])
	for i, block := range parsed.Content {
		if _, ok := block.(*comment.Heading); ok {
			parsed.Content = parsed.Content[i:]
			break
		}
	}
	if i := strings.LastIndex(d.text["package "+pkg], "\n\nPackage "); i >= 0 {
		parsed.Content = parsed.Content[:len(parsed.Content)-1] // another package
	}
	return strings.ReplaceAll(strings.TrimSpace(string(printer.Markdown(parsed))), "\t", "    ")
}

// firstSentence is what a list shows of a text.
func firstSentence(s string) string { return new(doc.Package).Synopsis(s) }

// choices are the constants of a package that are named after a word
// (OutcomeReplied; Outcomes is another), and what each means, but for some. What
// is added there is in the contract too.
func (d *docs) choices(pkg, word string, but ...string) (values []string, about string) {
	var lines []string
	for _, c := range d.constants {
		more, ok := strings.CutPrefix(c.name, word)
		first, _ := utf8.DecodeRuneInString(more)
		if c.pkg != pkg || !ok || !unicode.IsUpper(first) || slices.Contains(but, c.value) {
			continue
		}
		values = append(values, c.value)
		if about := d.text[pkg+"."+c.name]; about != "" {
			lines = append(lines, "- "+c.value+": "+about)
		}
	}
	return values, strings.Join(lines, "\n")
}

// oneOf is a field that has one of those constants of package events as its value.
func (d *docs) oneOf(word string) object {
	values, about := d.choices("events", word)
	return obj("description", about, "type", "string", "enum", list(values...))
}

// paragraphs joins what there is.
func paragraphs(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, "\n\n")
}

var word = regexp.MustCompile(`(^|[.:] )?\b[A-Z]\w*\b`)

// renamed calls fields by their names in JSON. A capital at the beginning of a
// sentence may be English.
func renamed(about string, inJSON map[string]string) string {
	return word.ReplaceAllStringFunc(about, func(found string) string {
		if name := inJSON[found]; name != "" && name != "-" {
			return name
		}
		return found
	})
}

// goName is one of several words, as methods of the client have it.
var goName = regexp.MustCompile(`\b(?:[A-Z]+[a-z0-9]+){2,}[A-Z]*\b`)

// forAll calls verbs and constants in the texts by what they are on the bus.
func (d *docs) forAll() *docs {
	for about, text := range d.text {
		d.text[about] = goName.ReplaceAllStringFunc(text, func(name string) string {
			if other, ok := d.text["name="+name]; ok {
				return other
			}
			return name
		})
	}
	return d
}
