package wxapi

// object is a JSON object in the order it was written. Its values are string,
// json.Number (so that a 64-bit id stays exact), bool, nil, []any and *object.
type object struct{ members []member }

type member struct {
	key   string
	value any
}

func (o *object) get(key string) (any, bool) {
	for _, m := range o.members {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

func (o *object) has(key string) bool {
	_, there := o.get(key)
	return there
}

func (o *object) keys() map[string]bool {
	keys := map[string]bool{}
	for _, m := range o.members {
		keys[m.key] = true
	}
	return keys
}

// text is the string at key, "" when there is none.
func (o *object) text(key string) string {
	v, _ := o.get(key)
	s, _ := v.(string)
	return s
}

func (o *object) set(key string, value any) {
	for i, m := range o.members {
		if m.key == key {
			o.members[i].value = value
			return
		}
	}
	o.members = append(o.members, member{key, value})
}

// without is a copy that lacks the given keys.
func (o *object) without(keys ...string) *object {
	rest := &object{}
next:
	for _, m := range o.members {
		for _, key := range keys {
			if m.key == key {
				continue next
			}
		}
		rest.members = append(rest.members, m)
	}
	return rest
}

// join appends a key to a JSON path. A key comes from a stranger and ends up
// in errors, so it is kept short and printable.
func join(path, key string) string {
	key = printable(key, 60)
	if path == "" {
		return key
	}
	return path + "." + key
}
