package bus

import (
	"errors"
	"net/url"
	"os"

	"github.com/nats-io/nats.go"
)

// options tries each option by itself, so that a file that cannot be read is
// told of under the name of its variable.
func (c Config) options() ([]nats.Option, error) {
	var options []nats.Option
	var errs []error
	add := func(field string, set bool, option func() (nats.Option, error)) {
		if !set {
			return
		}
		o, err := option()
		if err == nil {
			err = o(&nats.Options{})
		}
		if err != nil {
			errs = append(errs, &FieldError{field, err.Error()})
			return
		}
		options = append(options, o)
	}
	add("WX_NATS_CREDS", c.Creds != "", func() (nats.Option, error) {
		// nats.go reads the file at each connect, and would only ever log the fault.
		file, err := os.Open(c.Creds)
		if err != nil {
			return nil, err
		}
		return nats.UserCredentials(c.Creds), file.Close()
	})
	add("WX_NATS_USER", c.User != "", func() (nats.Option, error) { return nats.UserInfo(c.User, c.Password), nil })
	add("WX_NATS_NKEY", c.NKey != "", func() (nats.Option, error) { return nats.NkeyOptionFromSeed(c.NKey) })
	add("WX_NATS_CA", c.CA != "", func() (nats.Option, error) { return nats.RootCAs(c.CA), nil })
	add("WX_NATS_CERT", c.Cert != "", func() (nats.Option, error) { return nats.ClientCert(c.Cert, c.Key), nil })
	add("WX_NATS_INBOX_PREFIX", c.InboxPrefix != "", func() (nats.Option, error) { return nats.CustomInboxPrefix(c.InboxPrefix), nil })
	return options, errors.Join(errs...)
}

// urlError says what is wrong with the address without the address: it may hold
// a password, and an error of package url repeats all of it.
func urlError(err error) error {
	problem := err.Error()
	if parsing := (*url.Error)(nil); errors.As(err, &parsing) {
		problem = "cannot be read as nats://host:port"
	}
	return &FieldError{"WX_NATS_URL", problem}
}
