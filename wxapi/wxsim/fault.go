package wxsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong with the next API calls. Set it with [Platform.Fault] or POST /_sim/faults.
// The oldest fault that fits a call is the one used.
type Fault struct {
	// Verb is the API it strikes: a verb's name, "get_access_token" for both token endpoints, or a path such as
	// "/cgi-bin/clear_quota". Empty or "*" is any API but the token endpoints, so that a client that has to
	// fetch a token first still meets the fault where you want it.
	Verb string `json:"verb"`
	// Times is how many calls it strikes; default 1, -1 = until it is deleted.
	Times int `json:"times"`
	// Kind is what goes wrong: see the constants. Default: errcode.
	Kind FaultKind `json:"kind"`
	// ErrCode is answered by kind errcode, with WeChat's own errmsg unless ErrMsg is set. The call does nothing.
	ErrCode int    `json:"errcode,omitempty"`
	ErrMsg  string `json:"errmsg,omitempty"`
	// Status is the HTTP status of the kinds html and status; default 502.
	Status int `json:"status,omitempty"`
	// DelayMS is how long kind slow waits before the answer, in milliseconds; any other kind may have it too.
	DelayMS int64 `json:"delay_ms,omitempty"`
	// Executed says whether the call is carried out although its answer fails; the default depends on the kind.
	Executed *bool `json:"executed,omitempty"`
}

// FaultKind names a way to fail.
type FaultKind string

// The ways to fail. "Done" kinds carry the call out first, so that a client which sends again sends twice; set
// [Fault.Executed] to have it the other way.
const (
	FaultErrCode     FaultKind = "errcode"      // a WeChat error; not done
	FaultTimeout     FaultKind = "timeout"      // no answer until the client hangs up; done
	FaultReset       FaultKind = "reset"        // the connection is reset instead of an answer; done
	FaultResetBefore FaultKind = "reset_before" // the same, but not done
	FaultHTML        FaultKind = "html"         // a gateway's HTML page; not done
	FaultSlow        FaultKind = "slow"         // the right answer, DelayMS late; done
	FaultTruncated   FaultKind = "truncated"    // the first half of the right answer; done
	FaultStatus      FaultKind = "status"       // an HTTP status with an empty body; not done
)

var faultKinds = []FaultKind{
	FaultErrCode, FaultTimeout, FaultReset, FaultResetBefore, FaultHTML, FaultSlow, FaultTruncated, FaultStatus,
}

const anyVerb = "*"

// check fills in the defaults, and says what can't be meant. known tells whether an API of that name exists.
func (f *Fault) check(known func(verb string) bool) error {
	if f.Verb == "" {
		f.Verb = anyVerb
	}
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Kind == "" {
		f.Kind = FaultErrCode
	}
	if f.Status == 0 && (f.Kind == FaultHTML || f.Kind == FaultStatus) {
		f.Status = 502
	}
	switch {
	case f.Verb != anyVerb && !strings.HasPrefix(f.Verb, "/") && !known(f.Verb):
		return fmt.Errorf("no API is called %q: GET /_sim/ lists the names; a path such as /cgi-bin/clear_quota is welcome too", f.Verb)
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("unknown kind %q: use one of %v", f.Kind, faultKinds)
	case f.Times < -1:
		return errors.New("times is how many calls fail: 1 or more, or -1 for all until the fault is deleted")
	case f.Kind == FaultErrCode && f.ErrCode == 0:
		return errors.New(`kind errcode needs "errcode", for example 45009`)
	case f.Kind != FaultErrCode && f.ErrCode != 0:
		return fmt.Errorf("errcode goes with kind errcode, not with %q", f.Kind)
	case f.DelayMS < 0 || f.DelayMS > time.Hour.Milliseconds():
		return errors.New("delay_ms must be between 0 and an hour (3600000)")
	case f.Kind == FaultSlow && f.DelayMS == 0:
		return errors.New(`kind slow needs "delay_ms"`)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is no final HTTP status: use 200 to 599", f.Status)
	case f.Status != 0 && f.Kind != FaultHTML && f.Kind != FaultStatus:
		return fmt.Errorf("status goes with the kinds html and status, not with %q", f.Kind)
	}
	return nil
}

// done says whether the call is carried out in spite of the fault.
func (f *Fault) done() bool {
	if f.Executed != nil {
		return *f.Executed
	}
	switch f.Kind {
	case FaultTimeout, FaultReset, FaultSlow, FaultTruncated:
		return true
	}
	return false
}

func (f *Fault) strikes(name, path string) bool {
	token := name == nameToken || name == nameLegacyToken
	switch f.Verb {
	case anyVerb:
		return !token
	case nameToken:
		return token
	}
	return f.Verb == name || f.Verb == path
}

// Fault makes the next calls fail. It returns an error when f can't be meant.
func (p *Platform) Fault(f Fault) error {
	if err := f.check(p.knows); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
	return nil
}

// Faults lists what will still go wrong, with the times that are left, oldest first.
func (p *Platform) Faults() []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Fault, len(p.faults))
	for i, f := range p.faults {
		list[i] = *f
	}
	return list
}

// ClearFaults makes everything work again. A call that a fault already holds stays held.
func (p *Platform) ClearFaults() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// takeFault returns the fault that strikes this call, and counts it; nil for none. The caller holds the lock.
func (p *Platform) takeFault(name, path string) *Fault {
	for i, f := range p.faults {
		if !f.strikes(name, path) {
			continue
		}
		struck := *f
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			p.faults = slices.Delete(p.faults, i, i+1)
		}
		return &struck
	}
	return nil
}
