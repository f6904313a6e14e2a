package ingress

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// watcher is an Observer that lets tests wait.
type watcher struct {
	refused chan string
	stored  chan Stored
	ended   chan Answered
	shed    chan string
}

func newWatcher() *watcher {
	const room = 1 << 14
	return &watcher{make(chan string, room), make(chan Stored, room), make(chan Answered, room), make(chan string, room)}
}

func (w *watcher) Refused(status int, reason string) {
	select {
	case w.refused <- fmt.Sprintf("%d %s", status, reason):
	default:
	}
}

func (w *watcher) Stored(s Stored) {
	select {
	case w.stored <- s:
	default:
	}
}

func (w *watcher) Shed(kind string) {
	select {
	case w.shed <- kind:
	default:
	}
}

func (w *watcher) Answered(a Answered) {
	select {
	case w.ended <- a:
	default:
	}
}

// logbook keeps every line of every level, and tells of them.
type logbook struct {
	mu    sync.Mutex
	lines []string
	ears  map[string]chan string
}

func newLogbook() *logbook { return &logbook{ears: map[string]chan string{}} }

func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logbook) WithGroup(string) slog.Handler            { return l }

func (l *logbook) Handle(ctx context.Context, r slog.Record) error {
	var line strings.Builder
	if err := slog.NewTextHandler(&line, &slog.HandlerOptions{Level: slog.LevelDebug}).Handle(ctx, r); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line.String())
	if ear := l.ears[r.Message]; ear != nil {
		select {
		case ear <- line.String():
		default:
		}
	}
	return nil
}

// hear brings the lines with a message, from now on.
func (l *logbook) hear(message string) <-chan string {
	l.mu.Lock()
	defer l.mu.Unlock()
	ear := make(chan string, 1024)
	l.ears[message] = ear
	return ear
}

// holding returns a line with some text in it, "" for none.
func (l *logbook) holding(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}
