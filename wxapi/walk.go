package wxapi

import (
	"context"
	"iter"
)

// AllUsers walks over all who follow the account, page by page. It ends after
// the last one, or with an error; a caller that wants to go on after one keeps
// the last OpenID and calls [Client.GetUserList] with it.
//
//	for openID, err := range client.AllUsers(ctx) {
//		if err != nil {
//			return err
//		}
//		…
//	}
func (c *Client) AllUsers(ctx context.Context) iter.Seq2[string, error] {
	return walk(func(after string) (*OpenIDPage, error) {
		return c.GetUserList(ctx, &GetUserListRequest{NextOpenID: after})
	})
}

// AllTagUsers walks over all followers with a tag, like [Client.AllUsers].
func (c *Client) AllTagUsers(ctx context.Context, tagID int64) iter.Seq2[string, error] {
	return walk(func(after string) (*OpenIDPage, error) {
		return c.GetTagUsers(ctx, &GetTagUsersRequest{TagID: tagID, NextOpenID: after})
	})
}

// AllBlockedUsers walks over the blacklist, like [Client.AllUsers].
func (c *Client) AllBlockedUsers(ctx context.Context) iter.Seq2[string, error] {
	return walk(func(after string) (*OpenIDPage, error) {
		return c.GetBlacklist(ctx, &GetBlacklistRequest{BeginOpenID: after})
	})
}

// walk gives out page after page. A page that is empty, or that does not lead
// to one it has not been to, is the last: lists change under a walk, and a
// caller must not run in a circle for that.
func walk(page func(after string) (*OpenIDPage, error)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		been, after := map[string]bool{"": true}, ""
		for {
			list, err := page(after)
			if err != nil {
				yield("", err)
				return
			}
			for _, openID := range list.Data.OpenID {
				if !yield(openID, nil) {
					return
				}
			}
			after = list.NextOpenID
			if list.Count == 0 || been[after] {
				return
			}
			been[after] = true
		}
	}
}
