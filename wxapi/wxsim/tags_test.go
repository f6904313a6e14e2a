package wxsim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// follow makes followers, in this order.
func (w *world) follow(openIDs ...string) {
	w.t.Helper()
	for _, openID := range openIDs {
		w.push(openID, `{"MsgType":"event","Event":"subscribe"}`)
	}
}

// post makes one API call and returns the errcode.
func (w *world) post(path, body string) int {
	w.t.Helper()
	code, _ := w.api("POST", "/cgi-bin/"+path, body)
	return code
}

func TestTags(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxGroups = 25; c.PageSize = 2 })
	w.listen(testAESKey, success)
	w.follow(alice, "o_bob", "o_carol")
	client, ctx := w.client(), t.Context()
	made, err := client.CreateTag(ctx, &wxapi.CreateTagRequest{Tag: wxapi.NewTag{Name: "广东"}})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Tag.ID
	all := &wxapi.TagUsersRequest{OpenIDList: []string{alice, "o_bob", "o_carol"}, TagID: id}
	if _, err := client.TagUsers(ctx, all); err != nil {
		t.Fatal(err)
	}
	tagging := func(what string, id int64, openIDs ...string) int {
		return w.post("tags/members/"+what, string(encode(map[string]any{"openid_list": openIDs, "tagid": id})))
	}
	tag := func(what string, id int64, name string) int {
		return w.post("tags/"+what, string(encode(map[string]any{"tag": map[string]any{"id": id, "name": name}})))
	}
	codes := []int{
		tag("create", 0, "广东"), tag("create", 0, ""), tag("create", 0, strings.Repeat("标", 31)), tag("create", 0, "second"),
		tag("update", id, "second"), tag("update", id, "广东人"), tag("update", 2, "mine"), tag("update", 999, "x"),
		tag("delete", 0, ""), tag("delete", 999, ""),
		tagging("batchtagging", id), tagging("batchtagging", id, make([]string, 51)...), tagging("batchtagging", 999, alice), tagging("batchtagging", 1, alice),
		tagging("batchtagging", id, alice, "o_nobody"), tagging("batchtagging", 2, alice), tagging("batchuntagging", 999, alice), tagging("batchuntagging", id, "o_nobody"),
		tagging("batchuntagging", id, "o_carol"), w.post("tags/getidlist", `{"openid":"o_nobody"}`), w.post("user/tag/get", `{"tagid":999}`),
		w.post("user/tag/get", fmt.Sprintf(`{"tagid":%d,"next_openid":"o_nobody"}`, id)),
	}
	if want := []int{45157, 45157, 45158, 0, 45157, 0, 45058, 45159, 45058, 45159, 40032, 40032, 45159, 45159, 40003, 0, 45159, 40003, 0, 40003, 45159, 40003}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v,\nwant     %v", codes, want)
	}
	got, err := client.GetTags(ctx, nil)
	if err != nil || fmt.Sprint(got.Tags) != fmt.Sprintf("[{2 星标组 1} {%d 广东人 2} {%d second 0}]", id, id+1) {
		t.Errorf("tags %v, %v", got, err)
	}
	if tags, err := client.GetUserTags(ctx, &wxapi.GetUserTagsRequest{OpenID: alice}); err != nil || !slices.Equal(tags.TagIDList, []int64{id, 2}) {
		t.Errorf("alice's tags %v, %v", tags, err)
	}
	if info, err := client.GetUserInfo(ctx, &wxapi.GetUserInfoRequest{OpenID: alice}); err != nil || info.GroupID != id || !slices.Equal(info.TagIDList, []int64{id, 2}) {
		t.Errorf("alice %+v, %v", info, err)
	}
	if got := walked(t, client.AllTagUsers(ctx, id)); got != "o_alice o_bob" {
		t.Errorf("tagged are %s", got)
	}
	if _, answer := w.api("POST", "/cgi-bin/user/tag/get", fmt.Sprintf(`{"tagid":%d}`, id+1)); answer["count"] != 0.0 || answer["data"] != nil {
		t.Errorf("nobody has it: %v", answer)
	}
	for i := range 20 {
		made, err := client.CreateTag(ctx, &wxapi.CreateTagRequest{Tag: wxapi.NewTag{Name: fmt.Sprint("tag ", i)}})
		if err != nil {
			t.Fatal(err)
		}
		if code, want := tagging("batchtagging", made.Tag.ID, "o_bob"), 45059; (code != 0) != (i == 19) || code != 0 && code != want {
			t.Errorf("tag %d: %d", i, code)
		}
	}
	for i, want := range []int{0, 0, 0, 45056} {
		if code := tag("create", 0, fmt.Sprint("more ", i)); code != want {
			t.Errorf("tag %d: %d, want %d", 22+i, code, want)
		}
	}
	if code := tag("delete", id, ""); code != 0 {
		t.Errorf("delete: %d", code)
	}
	if tags, err := client.GetUserTags(ctx, &wxapi.GetUserTagsRequest{OpenID: alice}); err != nil || !slices.Equal(tags.TagIDList, []int64{2}) {
		t.Errorf("after the tag is gone %v, %v", tags, err)
	}
}

// walked joins what a walk yields.
func walked(t *testing.T, all func(func(string, error) bool)) string {
	t.Helper()
	list := []string{}
	for openID, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, openID)
	}
	return strings.Join(list, " ")
}

// A tag that is a group: both tell of the same.
func TestGroupsAreTags(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	w.follow(alice, "o_bob")
	client, ctx := w.client(), t.Context()
	made, err := client.CreateGroup(ctx, &wxapi.CreateGroupRequest{Group: wxapi.NewGroup{Name: "friends"}})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Group.ID
	if _, err := client.UpdateGroupOfUsers(ctx, &wxapi.UpdateGroupOfUsersRequest{OpenIDList: []string{alice, "o_bob"}, ToGroupID: id}); err != nil {
		t.Error(err)
	}
	if tags, err := client.GetUserTags(ctx, &wxapi.GetUserTagsRequest{OpenID: alice}); err != nil || !slices.Equal(tags.TagIDList, []int64{id}) {
		t.Errorf("alice's tags %v, %v", tags, err)
	}
	inGroup := func() int64 {
		got, err := client.GetGroupOfUser(ctx, &wxapi.GetGroupOfUserRequest{OpenID: alice})
		if err != nil {
			t.Fatal(err)
		}
		return got.GroupID
	}
	if got := inGroup(); got != id {
		t.Errorf("alice is in %d", got)
	}
	codes := []int{
		w.post("groups/members/batchupdate", `{"openid_list":[],"to_groupid":2}`), w.post("groups/members/batchupdate", `{"openid_list":["o_nobody"],"to_groupid":2}`),
		w.post("groups/members/batchupdate", `{"openid_list":["o_bob"],"to_groupid":999}`), w.post("groups/getid", `{"openid":"o_nobody"}`),
		w.post("groups/delete", `{"group":{"id":1}}`), w.post("groups/delete", `{"group":{"id":999}}`), w.post("groups/delete", `{"group":{}}`),
		w.post("groups/members/update", `{"openid":"o_alice","to_groupid":1}`), w.sendText(alice, "blocked"),
	}
	if want := []int{40032, 40003, 40050, 40003, 45016, 40050, 40050, 0, 43019}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v,\nwant     %v", codes, want)
	}
	if got := inGroup(); got != 1 {
		t.Errorf("alice is in %d, not on the blacklist", got)
	}
	if got := walked(t, client.AllBlockedUsers(ctx)); got != alice {
		t.Errorf("blocked are %q", got)
	}
	if _, err := client.UpdateGroupOfUser(ctx, &wxapi.UpdateGroupOfUserRequest{OpenID: alice, ToGroupID: id}); err != nil || inGroup() != id {
		t.Errorf("alice is in %d, %v", inGroup(), err)
	}
	if _, err := client.DeleteGroup(ctx, &wxapi.DeleteGroupRequest{Group: wxapi.GroupID{ID: id}}); err != nil || inGroup() != 0 {
		t.Errorf("after the group is gone alice is in %d, %v", inGroup(), err)
	}
}

func TestBlacklist(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PageSize = 2 })
	w.listen(testAESKey, success)
	w.follow(alice, "o_bob", "o_carol")
	client, ctx := w.client(), t.Context()
	if _, answer := w.api("POST", "/cgi-bin/tags/members/getblacklist", `{"begin_openid":""}`); answer["total"] != 0.0 || answer["data"] != nil || answer["next_openid"] != "" {
		t.Errorf("nobody is blocked: %v", answer)
	}
	for _, openIDs := range [][]string{{"o_carol"}, {"o_bob", alice}, {alice}} {
		if _, err := client.BlockUsers(ctx, &wxapi.BlockUsersRequest{OpenIDList: openIDs}); err != nil {
			t.Fatal(err)
		}
	}
	if got := walked(t, client.AllBlockedUsers(ctx)); got != "o_carol o_bob o_alice" {
		t.Errorf("blocked are %s", got)
	}
	block := func(openIDs ...string) int {
		return w.post("tags/members/batchblacklist", string(encode(map[string]any{"openid_list": openIDs})))
	}
	w.push(alice, `{"MsgType":"text","Content":"let me in"}`)
	codes := []int{w.sendText(alice, "no"), block(), block(make([]string, 21)...), block("o_nobody")}
	if want := []int{43019, 40032, 40032, 40003}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v, want %v", codes, want)
	}
	if followers := w.Followers(); !followers[0].Blocked || followers[0].Group != 1 {
		t.Errorf("%+v", followers[0])
	}
	if _, err := client.UnblockUsers(ctx, &wxapi.UnblockUsersRequest{OpenIDList: []string{alice, "o_bob"}}); err != nil || w.sendText(alice, "welcome") != 0 {
		t.Errorf("unblocked: %v", err)
	}
	if got := walked(t, client.AllBlockedUsers(ctx)); got != "o_carol" {
		t.Errorf("blocked are %s", got)
	}
}

func TestManyUsers(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PageSize = 2 })
	w.listen(testAESKey, success)
	client, ctx := w.client(), t.Context()
	if got := walked(t, client.AllUsers(ctx)); got != "" {
		t.Errorf("%s follow", got)
	}
	w.follow("o_c", "o_a", "o_b", "o_d")
	if got := walked(t, client.AllUsers(ctx)); got != "o_c o_a o_b o_d" {
		t.Errorf("%s follow", got)
	}
	// Somebody leaves while the list is read: the walk goes on behind their place.
	got := []string{}
	for openID, err := range client.AllUsers(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, openID)
		if openID == "o_a" {
			w.push("o_a", `{"MsgType":"event","Event":"unsubscribe"}`)
		}
	}
	if fmt.Sprint(got) != "[o_c o_a o_b o_d]" {
		t.Errorf("%v follow", got)
	}
	if _, err := client.UpdateUserRemark(ctx, &wxapi.UpdateUserRemarkRequest{OpenID: "o_b", Remark: "胖子"}); err != nil {
		t.Error(err)
	}
	infos, err := client.BatchGetUserInfo(ctx, &wxapi.BatchGetUserInfoRequest{UserList: []wxapi.GetUserInfoRequest{{OpenID: "o_b"}, {OpenID: "o_a", Lang: "en"}}})
	if err != nil || infos.UserInfoList[0].Remark != "胖子" || infos.UserInfoList[1].Subscribe != 0 || infos.UserInfoList[1].OpenID != "o_a" {
		t.Errorf("%+v, %v", infos, err)
	}
	codes := []int{
		w.post("user/info/batchget", `{"user_list":[]}`), w.post("user/info/batchget", `{"user_list":[{"openid":"o_nobody"}]}`),
		w.post("user/info/batchget", `{"user_list":[`+strings.Repeat(`{"openid":"o_b"},`, 100)+`{"openid":"o_b"}]}`),
		w.post("user/info/updateremark", `{"openid":"o_a","remark":"x"}`), w.post("user/info/updateremark", `{"openid":"o_b","remark":"`+strings.Repeat("x", 30)+`"}`),
	}
	if want := []int{40032, 40003, 40032, 40003, 40035}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v, want %v", codes, want)
	}
}
