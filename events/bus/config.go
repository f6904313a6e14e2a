package bus

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// Config is how to reach the bus. The envconfig tags hold the whole name of the
// variable: with a prefix, envconfig would also accept the bare name (PATH, TOKEN).
type Config struct {
	URL         string `envconfig:"WX_NATS_URL" desc:"NATS server, several with commas"`
	Creds       string `envconfig:"WX_NATS_CREDS" desc:"path of a .creds file"`
	User        string `envconfig:"WX_NATS_USER" desc:"user name"`
	Password    string `envconfig:"WX_NATS_PASSWORD" secret:"true" desc:"password of the user"`
	NKey        string `envconfig:"WX_NATS_NKEY" desc:"path of an nkey seed file"`
	CA          string `envconfig:"WX_NATS_CA" desc:"path of the CA certificate for TLS"`
	Cert        string `envconfig:"WX_NATS_CERT" desc:"path of the client certificate for TLS"`
	Key         string `envconfig:"WX_NATS_KEY" desc:"path of the client key for TLS"`
	Domain      string `envconfig:"WX_NATS_DOMAIN" desc:"JetStream domain"`
	InboxPrefix string `envconfig:"WX_NATS_INBOX_PREFIX" default:"_INBOX" desc:"prefix of the inboxes, for permissions"`
}

// Validate returns every fault of the settings, each naming its field.
func (c Config) Validate() error {
	var errs []error
	ways := 0
	for _, set := range []bool{c.Creds != "", c.User != "", c.NKey != ""} {
		if set {
			ways++
		}
	}
	if ways > 1 {
		errs = append(errs, &FieldError{"WX_NATS_CREDS", "set only one of WX_NATS_CREDS, WX_NATS_USER and WX_NATS_NKEY"})
	}
	if c.Password != "" && c.User == "" {
		errs = append(errs, &FieldError{"WX_NATS_PASSWORD", "needs WX_NATS_USER"})
	}
	if (c.Cert == "") != (c.Key == "") {
		errs = append(errs, &FieldError{"WX_NATS_CERT", "WX_NATS_CERT and WX_NATS_KEY go together"})
	}
	return errors.Join(errs...)
}

// FieldError names the variable that is wrong, without its value if secret.
type FieldError struct{ Field, Problem string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// StreamConfig is what an operator may choose about the streams and buckets.
type StreamConfig struct {
	// Mode is "create" (missing ones are made) or "check" (missing ones are named).
	Mode        string        `envconfig:"WX_STREAMS" default:"create" desc:"create or check the streams and buckets"`
	Replicas    int           `envconfig:"WX_STREAM_REPLICAS" default:"1" desc:"replicas of each: 1, 3 or 5"`
	Storage     string        `envconfig:"WX_STREAM_STORAGE" default:"file" desc:"file or memory"`
	MaxBytes    int64         `envconfig:"WX_STREAM_MAX_BYTES" default:"-1" desc:"bytes a stream may hold, -1 for no limit"`
	ReplyWindow time.Duration `envconfig:"WX_REPLY_WINDOW" default:"10m" desc:"how long a reply is kept"`
}

// Validate returns every fault of the settings, each naming its field.
func (c StreamConfig) Validate() error {
	var errs []error
	if c.Mode != "create" && c.Mode != "check" {
		errs = append(errs, &FieldError{"WX_STREAMS", fmt.Sprintf("%q: create or check", c.Mode)})
	}
	if c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5 {
		errs = append(errs, &FieldError{"WX_STREAM_REPLICAS", fmt.Sprintf("%d: 1, 3 or 5", c.Replicas)})
	}
	if _, err := c.storage(); err != nil {
		errs = append(errs, err)
	}
	if c.MaxBytes != -1 && c.MaxBytes < 1<<20 {
		errs = append(errs, &FieldError{"WX_STREAM_MAX_BYTES", fmt.Sprintf("%d: at least 1 MiB, or -1 for no limit", c.MaxBytes)})
	}
	// The shortest window covers WeChat's three tries; the longest is the contract's.
	if c.ReplyWindow < time.Minute || c.ReplyWindow > time.Hour {
		errs = append(errs, &FieldError{"WX_REPLY_WINDOW", fmt.Sprintf("%s: 1m to 1h", c.ReplyWindow)})
	}
	return errors.Join(errs...)
}

func (c StreamConfig) storage() (jetstream.StorageType, error) {
	switch c.Storage {
	case "file":
		return jetstream.FileStorage, nil
	case "memory":
		return jetstream.MemoryStorage, nil
	}
	return 0, &FieldError{"WX_STREAM_STORAGE", fmt.Sprintf("%q: file or memory", c.Storage)}
}

// ValidatePrefix is Prefix.Validate with the variable's name.
func ValidatePrefix(p events.Prefix) error {
	if err := p.Validate(); err != nil {
		return &FieldError{"WX_PREFIX", err.Error()}
	}
	return nil
}
