package ingress

import (
	"context"
	"slices"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
)

// fetchesAtOnce bounds the files that one process has fetched at a time. It is
// half of what one egress answers at once: a flood of pictures must not keep
// other people's calls waiting.
const fetchesAtOnce = 32

// fetch puts the file of a message into its event, with WX_MEDIA_FETCH. The
// file is fetched by egress, which has the token and the object store: ingress
// faces the internet and has neither. It is asked over wx.call, which answers
// at once also that nobody is there.
//
// It happens before the event is stored, because an event never changes after
// that. The other ways were worse: a second event would make every consumer
// wait for two and match them; a dataref promised before the file is there
// leads nowhere if WeChat then refuses it, and says neither type nor size. What
// it costs is a part of the time in which a reply can come, so that is bounded
// (WX_MEDIA_FETCH_WITHIN, from the arrival of the request), and whatever goes
// wrong the event is stored as ever, with its MediaId and without the file. The
// event's id does not depend on it.
//
// A fetch that is too slow, of a long video say, goes on in egress, which
// remembers where it has put the file: get_media then answers without a call to
// WeChat, and so does the fetch of WeChat's next try.
func (i *Ingress) fetch(ctx context.Context, t *try, e *cloudevents.Event) {
	ids := mediaIDs(t)
	if !i.cfg.MediaFetch || len(ids) == 0 {
		return
	}
	if _, waits := i.rooms.event(t.id); waits {
		return // the event is stored, or about to be, by the try that waits there
	}
	select {
	case i.fetches <- struct{}{}:
		defer func() { <-i.fetches }()
	default:
		i.logger.Warn("media is not fetched, too much of it comes at once: the event has its MediaId alone", "event", t.id, "kind", t.kind)
		return
	}
	ctx, cancel := context.WithDeadline(ctx, t.arrived.Add(i.cfg.FetchWithin))
	defer cancel()
	var err error
	for _, id := range ids {
		var file events.File
		if file, err = i.ask(ctx, t, id); err == nil {
			err = events.AddFile(e, file)
		}
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		i.logger.Warn("media is not fetched, the event has its MediaId alone", "event", t.id, "kind", t.kind, "error", err)
	}
}

// ask has egress fetch one file. Past WeChat's five seconds nobody waits for it
// any more, so then it need not be begun; less would ask of two machines that
// their clocks agree.
func (i *Ingress) ask(ctx context.Context, t *try, mediaID string) (events.File, error) {
	e, err := events.NewFetch(nuid.Next(), i.account.AppID(), mediaID, t.arrived, t.arrived.Add(wechatTimeout))
	if err != nil {
		return events.File{}, err
	}
	answer, err := i.bus.Request(ctx, i.names.Subject(events.Call, events.FetchVerb), e)
	if err != nil {
		return events.File{}, err
	}
	return events.Fetched(answer)
}

// mediaIDs are the ids of a message's file, the best first: of a voice there is
// also one with 16 kHz. WeChat gives a file to messages alone, and none to the
// kind file, which no API downloads.
func mediaIDs(t *try) []string {
	if t.message.Event != "" {
		return nil
	}
	ids := []string{t.message.Value("MediaId16K"), t.message.Value("MediaId")}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}
