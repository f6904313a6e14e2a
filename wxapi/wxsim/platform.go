package wxsim

import (
	"errors"
	"net/http"
	"sync"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Platform is a pretend WeChat with one account. Its methods may be called concurrently. A push runs in its caller's
// goroutine; only the results of jobs that API calls began are pushed in one of the platform's, which Close ends.
type Platform struct {
	cfg     Config
	account *callback.Account
	clock   clock
	client  *http.Client
	control http.Handler
	closed  chan struct{}
	close   sync.Once
	jobs    sync.WaitGroup // pushes of jobs' results

	mu        sync.Mutex // guards everything below
	callback  string
	stable    tokenSpace
	legacy    tokenSpace
	quotas    *quotas
	faults    []*Fault
	calls     callLog
	followers followers
	groups    groups
	media     mediaStore
	menus     menus
	qrCodes   qrCodes
	grants    grants
	tickets   map[string]jsTicket // by type
	shortKeys map[string]shortKey
	templates templates
	notices   notices
	library   library
	masses    masses
	desk      desk
	rids      rids
	comments  comments
	voices    map[string]string // what was said, by voice_id
	clears    clears
	lastMsgID int64
	news      chan struct{} // closed and replaced when an inbox grows
}

// New returns a WeChat in which nobody follows the account yet. The error names every field that is wrong.
func New(cfg Config) (*Platform, error) {
	account, err := callback.New(callback.Config{AppID: cfg.AppID, Token: cfg.Token, AESKey: cfg.AESKey})
	cfg.setDefaults()
	if err := errors.Join(err, cfg.check()); err != nil {
		return nil, err
	}
	p := &Platform{
		cfg:     cfg,
		account: account,
		clock:   clock{base: cfg.Now},
		// A push is one request: a redirect is an answer like any other that isn't 200.
		client: &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		closed:    make(chan struct{}),
		callback:  cfg.Callback,
		quotas:    newQuotas(cfg.Limits),
		followers: followers{all: map[string]*follower{}},
		groups:    newGroups(),
		media:     mediaStore{},
		templates: newTemplates(cfg.Templates),
		notices:   newNotices(cfg.Templates),
		lastMsgID: firstMsgID(),
		news:      make(chan struct{}),
	}
	p.control = p.controlHandler()
	return p, nil
}

// SetCallback sets the URL that pushes go to, from the next try on. An empty one means that nobody listens.
func (p *Platform) SetCallback(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.callback = to
}

func (p *Platform) callbackURL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.callback
}

// Close lets go of API calls that a fault holds, of pushes of jobs' results and of idle connections to the callback.
// Call it before closing the server that serves the platform. It may be called twice.
func (p *Platform) Close() error {
	p.close.Do(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(p.closed)
	})
	p.jobs.Wait()
	p.client.CloseIdleConnections()
	return nil
}
