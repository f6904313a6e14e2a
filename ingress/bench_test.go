package ingress

import (
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// BenchmarkHold is the whole way of a follower's text over an embedded NATS with
// file storage: push → verify → store → respond → decide → outcome → answer.
func BenchmarkHold(b *testing.B) {
	w := newWorld(b, callback.ModeSafe)
	r := w.replica()
	w.serve(func(in inbound) { _ = in.message.Respond([]byte(private)) })
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			w.says(do(w.request(b.Context(), r.url, text(alice, private))))
		}
	})
	b.Run("many", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				w.says(do(w.request(b.Context(), r.url, text(alice, private))))
			}
		})
	})
}
