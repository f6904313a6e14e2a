package gen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
)

// docs are the words that the contract takes from Go source, where prose is
// written once.
type docs struct {
	// text has the comments by what they belong to: a type (wxapi.Text), a field
	// of one (wxapi.Text.Content), a string constant (events.MarkClosed), a verb
	// (verb get_groups), a package (package events); also what a verb or constant
	// is called elsewhere, by its Go name (name=GetGroups).
	text map[string]string
	// constants are the string constants, in the order of their source.
	constants []constant
}

type constant struct{ pkg, name, value string }

// readDocs reads the comments of the packages in some folders.
func readDocs(root fs.FS, folders ...string) (*docs, error) {
	d := &docs{text: map[string]string{}}
	for _, folder := range folders {
		names, err := fs.Glob(root, folder+"/*.go")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := fs.ReadFile(root, name)
			if err != nil {
				return nil, err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			d.file(file)
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("no Go files in %s", folder)
		}
	}
	return d.forAll(), nil
}

func (d *docs) file(file *ast.File) {
	pkg := file.Name.Name
	if file.Doc != nil {
		d.text["package "+pkg] = file.Doc.Text()
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				d.typ(pkg, spec, text(spec.Doc, general.Doc))
			case *ast.ValueSpec:
				d.value(pkg, spec, general)
			}
		}
	}
}

func text(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if t := g.Text(); t != "" {
			return t
		}
	}
	return ""
}

func (d *docs) typ(pkg string, spec *ast.TypeSpec, about string) {
	name := pkg + "." + spec.Name.Name
	d.text[name] = english(about, spec.Name.Name)
	of, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	inJSON := map[string]string{}
	for _, field := range of.Fields.List {
		for _, id := range field.Names {
			d.text[name+"."+id.Name] = english(text(field.Doc, field.Comment), id.Name)
			if field.Tag != nil && id.Name != "OpenID" && id.Name != "URL" { // which are also English
				tag, _ := strconv.Unquote(field.Tag.Value)
				inJSON[id.Name], _, _ = strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			}
		}
	}
	d.text[name] = renamed(d.text[name], inJSON)
	for id := range inJSON {
		d.text[name+"."+id] = renamed(d.text[name+"."+id], inJSON)
	}
}

// value reads the comment of a constant, or that of a row if this is one.
func (d *docs) value(pkg string, spec *ast.ValueSpec, decl *ast.GenDecl) {
	if len(spec.Names) != 1 || len(spec.Values) != 1 {
		return
	}
	name := spec.Names[0].Name
	switch v := spec.Values[0].(type) {
	case *ast.BasicLit:
		if value, err := strconv.Unquote(v.Value); err == nil && decl.Tok == token.CONST {
			d.text[pkg+"."+name] = english(text(spec.Doc, spec.Comment), name)
			d.text["name="+name] = value
			d.constants = append(d.constants, constant{pkg, name, value})
		}
	case *ast.CallExpr:
		for _, arg := range v.Args {
			row, ok := arg.(*ast.CompositeLit)
			if !ok || fmt.Sprint(row.Type) != "Row" {
				continue
			}
			if verb := nameIn(row); verb != "" {
				d.text["verb "+verb] = english(text(spec.Doc, decl.Doc), name)
				d.text["name="+name] = verb
			}
		}
	}
}

// nameIn is the Name of a Row{…}.
func nameIn(row *ast.CompositeLit) string {
	for _, element := range row.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok || fmt.Sprint(pair.Key) != "Name" {
			continue
		}
		if literal, ok := pair.Value.(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(literal.Value)
			return name
		}
	}
	return ""
}
