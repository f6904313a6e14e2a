package schema_test

import (
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// library makes, lists and deletes material, drafts and publications.
func library(s *story) {
	did(s, wxapi.UploadArticleImage, &wxapi.UploadArticleImageRequest{Media: jpg})
	cover := did(s, wxapi.AddMaterial, &wxapi.AddMaterialRequest{Type: "image", Media: jpg}).MediaID
	video := did(s, wxapi.AddMaterial, &wxapi.AddMaterialRequest{Type: "video", Media: mp4, Description: &wxapi.VideoDescription{Title: "T"}}).MediaID
	if got := did(s, wxapi.GetMaterial, &wxapi.GetMaterialRequest{MediaID: video}); got.Title != "T" || got.Media == nil {
		s.Errorf("%+v", got)
	}
	if n := did(s, wxapi.GetMaterialCount, nil); n.VideoCount != 1 || n.ImageCount != 1 {
		s.Errorf("%+v", n)
	}
	if list := did(s, wxapi.BatchGetMaterial, &wxapi.BatchGetMaterialRequest{Type: "video", Count: 20}); list.Item[0].MediaID != video {
		s.Errorf("%+v", list)
	}
	did(s, wxapi.DeleteMaterial, &wxapi.DeleteMaterialRequest{MediaID: video})

	if box := did(s, wxapi.SwitchDraftBox, &wxapi.SwitchDraftBoxRequest{CheckOnly: 1}); box.IsOpen != 1 {
		s.Errorf("%+v", box)
	}
	draft := s.draft(cover)
	did(s, wxapi.UpdateDraft, &wxapi.UpdateDraftRequest{MediaID: draft, Articles: wxapi.DraftArticle{Title: "T2", Content: "C", ThumbMediaID: cover}})
	if got := did(s, wxapi.GetDraft, &wxapi.GetDraftRequest{MediaID: draft}); got.NewsItem[0].Title != "T2" {
		s.Errorf("%+v", got)
	}
	if n := did(s, wxapi.GetDraftCount, nil); n.TotalCount != 1 {
		s.Errorf("%+v", n)
	}
	if list := did(s, wxapi.BatchGetDraft, &wxapi.BatchGetDraftRequest{Count: 20}); list.Item[0].MediaID != draft {
		s.Errorf("%+v", list)
	}
	did(s, wxapi.DeleteDraft, &wxapi.DeleteDraftRequest{MediaID: draft})

	job := did(s, wxapi.PublishDraft, &wxapi.PublishDraftRequest{MediaID: s.draft(cover)})
	article := did(s, wxapi.GetPublishStatus, &wxapi.GetPublishStatusRequest{PublishID: job.PublishID}).ArticleID
	if got := did(s, wxapi.GetPublishedArticle, &wxapi.GetPublishedArticleRequest{ArticleID: article}); got.NewsItem[0].URL == "" {
		s.Errorf("%+v", got)
	}
	if list := did(s, wxapi.BatchGetPublishedArticle, &wxapi.BatchGetPublishedArticleRequest{Count: 20, NoContent: 1}); list.Item[0].ArticleID != article {
		s.Errorf("%+v", list)
	}
	did(s, wxapi.DeletePublishedArticle, &wxapi.DeletePublishedArticleRequest{ArticleID: article})
}

// draft makes one with an article that may be commented on.
func (s *story) draft(cover string) string {
	s.Helper()
	return did(s, wxapi.AddDraft, &wxapi.AddDraftRequest{Articles: []wxapi.DraftArticle{
		{Title: "T", Content: "C", ThumbMediaID: cover, NeedOpenComment: 1},
	}}).MediaID
}

func comments(s *story) {
	cover := did(s, wxapi.AddMaterial, &wxapi.AddMaterialRequest{Type: "image", Media: jpg}).MediaID
	article := did(s, wxapi.PublishDraft, &wxapi.PublishDraftRequest{MediaID: s.draft(cover)}).MsgDataID
	list := func(typ int) []wxapi.Comment {
		return did(s, wxapi.GetComments, &wxapi.GetCommentsRequest{MsgDataID: article, Count: 49, Type: typ}).Comment
	}
	did(s, wxapi.CloseComment, &wxapi.CloseCommentRequest{MsgDataID: article})
	if _, err := s.sim.Comment(bob, string(article), 0, "too late"); err == nil {
		s.Error("a closed article takes a comment")
	}
	did(s, wxapi.OpenComment, &wxapi.OpenCommentRequest{MsgDataID: article})
	made, err := s.sim.Comment(bob, string(article), 0, "好")
	if err != nil {
		s.Fatal(err)
	}
	id := wxapi.ID(made)
	did(s, wxapi.MarkComment, &wxapi.MarkCommentRequest{MsgDataID: article, UserCommentID: id})
	if elected := list(2); len(elected) != 1 || elected[0].UserCommentID != id || elected[0].OpenID != bob {
		s.Errorf("%+v", elected)
	}
	did(s, wxapi.UnmarkComment, &wxapi.UnmarkCommentRequest{MsgDataID: article, UserCommentID: id})
	did(s, wxapi.ReplyComment, &wxapi.ReplyCommentRequest{MsgDataID: article, UserCommentID: id, Content: "thanks"})
	if ordinary := list(1); len(ordinary) != 1 || ordinary[0].Reply.Content != "thanks" {
		s.Errorf("%+v", ordinary)
	}
	did(s, wxapi.DeleteCommentReply, &wxapi.DeleteCommentReplyRequest{MsgDataID: article, UserCommentID: id})
	if all := list(0); len(all) != 1 || all[0].Reply != nil {
		s.Errorf("%+v", all)
	}
	did(s, wxapi.DeleteComment, &wxapi.DeleteCommentRequest{MsgDataID: article, UserCommentID: id})
	if all := list(0); len(all) != 0 {
		s.Errorf("%+v", all)
	}
	did(s, wxapi.CallAPI, &wxapi.CallAPIRequest{Method: "POST", Path: "/cgi-bin/comment/list", Body: map[string]any{"msg_data_id": article, "count": 1}})
}

func massMessages(s *story) {
	video := did(s, wxapi.UploadMedia, &wxapi.UploadMediaRequest{Type: "video", Media: mp4}).MediaID
	ready := did(s, wxapi.UploadMassVideo, &wxapi.UploadMassVideoRequest{MediaID: video, Title: "T"}).MediaID
	did(s, wxapi.PreviewMassMessage, &wxapi.PreviewMassMessageRequest{ToUser: alice, MsgType: "mpvideo", MPVideo: &wxapi.MediaID{MediaID: ready}})
	did(s, wxapi.SetMassSpeed, &wxapi.SetMassSpeedRequest{Speed: 4})
	if speed := did(s, wxapi.GetMassSpeed, nil); speed.Speed != 4 {
		s.Errorf("%+v", speed)
	}
	did(s, wxapi.SendMassMessage, &wxapi.SendMassMessageRequest{Filter: wxapi.MassFilter{IsToAll: true}, MsgType: "text", Text: &wxapi.Text{Content: "hi"}})
	sent := did(s, wxapi.SendMassMessageToUsers, &wxapi.SendMassMessageToUsersRequest{
		ToUser: []string{alice, bob}, MsgType: "mpvideo", MPVideo: &wxapi.MPVideo{MediaID: ready}, ClientMsgID: "one",
	})
	if state := did(s, wxapi.GetMassMessageStatus, &wxapi.GetMassMessageStatusRequest{MsgID: sent.MsgID}); state.MsgStatus != "SEND_SUCCESS" {
		s.Errorf("%+v", state)
	}
	did(s, wxapi.DeleteMassMessage, &wxapi.DeleteMassMessageRequest{MsgID: sent.MsgID})
}

func agents(s *story) {
	const agent = "test1@test"
	did(s, wxapi.AddKFAccount, &wxapi.AddKFAccountRequest{KFAccount: agent, Nickname: "客服1"})
	did(s, wxapi.UpdateKFAccount, &wxapi.UpdateKFAccountRequest{KFAccount: agent, Nickname: "客服2"})
	did(s, wxapi.UploadKFHeadImg, &wxapi.UploadKFHeadImgRequest{KFAccount: agent, Media: jpg})
	did(s, wxapi.InviteKFWorker, &wxapi.InviteKFWorkerRequest{KFAccount: agent, InviteWX: "worker"})
	if list := did(s, wxapi.GetKFList, nil).KFList; list[0].KFNick != "客服2" || list[0].KFWX != "worker" {
		s.Errorf("%+v", list)
	}
	did(s, wxapi.CreateKFSession, &wxapi.CreateKFSessionRequest{KFAccount: agent, OpenID: alice})
	if at := did(s, wxapi.GetKFSession, &wxapi.GetKFSessionRequest{OpenID: alice}); at.KFAccount != agent {
		s.Errorf("%+v", at)
	}
	if list := did(s, wxapi.GetKFSessionList, &wxapi.GetKFSessionListRequest{KFAccount: agent}).SessionList; list[0].OpenID != alice {
		s.Errorf("%+v", list)
	}
	if online := did(s, wxapi.GetOnlineKFList, nil).KFOnlineList; online[0].AcceptedCase != 1 {
		s.Errorf("%+v", online)
	}
	s.says(alice, `{"MsgType":"text","Content":"help"}`)
	now := time.Now().Unix()
	if said := did(s, wxapi.GetKFMessages, &wxapi.GetKFMessagesRequest{StartTime: now - 60, EndTime: now + 60, MsgID: "1", Number: 10}); said.RecordList[0].Text != "help" {
		s.Errorf("%+v", said)
	}
	did(s, wxapi.CloseKFSession, &wxapi.CloseKFSessionRequest{KFAccount: agent, OpenID: alice})
	did(s, wxapi.GetKFWaitCases, nil)
	did(s, wxapi.DeleteKFAccount, &wxapi.DeleteKFAccountRequest{KFAccount: agent})
}

// account asks about quotas, requests and the network.
func account(s *story) {
	const path = "/cgi-bin/user/info"
	if quota := did(s, wxapi.GetAPIQuota, &wxapi.GetAPIQuotaRequest{CGIPath: path}); quota.Quota.Used == 0 {
		s.Errorf("%+v", quota)
	}
	did(s, wxapi.ClearAPIQuota, &wxapi.ClearAPIQuotaRequest{CGIPath: path})
	if quota := did(s, wxapi.GetAPIQuota, &wxapi.GetAPIQuotaRequest{CGIPath: path}); quota.Quota.Used != 0 {
		s.Errorf("%+v", quota)
	}
	did(s, wxapi.ClearQuota, nil)
	did(s, wxapi.ClearQuotaBySecret, nil)
	failed, err := s.client.CallJSON(s.Context(), wxapi.GetUserInfo.Row, []byte(`{"openid":"oNobody"}`))
	if err == nil || failed.RID == "" {
		s.Fatalf("%v, %+v", err, failed)
	}
	if about := did(s, wxapi.GetRID, &wxapi.GetRIDRequest{RID: failed.RID}); !strings.Contains(about.Request.ResponseBody, "40003") {
		s.Errorf("%+v", about)
	}
	did(s, wxapi.CheckCallback, &wxapi.CheckCallbackRequest{Action: "all", CheckOperator: "DEFAULT"})
	did(s, wxapi.GetCallbackIP, nil)
	did(s, wxapi.GetAPIDomainIP, nil)
	did(s, wxapi.AddVoiceForText, &wxapi.AddVoiceForTextRequest{VoiceID: "1", Media: mp3})
	if text := did(s, wxapi.GetVoiceText, &wxapi.GetVoiceTextRequest{VoiceID: "1"}); text.Result == "" {
		s.Errorf("%+v", text)
	}
	if both := did(s, wxapi.TranslateContent, &wxapi.TranslateContentRequest{LFrom: "zh_CN", LTo: "en_US", Content: "好 & 坏"}); both.FromContent != "好 & 坏" {
		s.Errorf("%+v", both)
	}
}

func dataCube(s *story) {
	yesterday := time.Now().In(time.FixedZone("", 8*60*60)).AddDate(0, 0, -1).Format(time.DateOnly)
	day := &wxapi.DateRange{BeginDate: yesterday, EndDate: yesterday}
	if list := did(s, wxapi.GetUserSummary, day).List; len(list) != 1 || list[0].RefDate != yesterday {
		s.Errorf("%+v", list)
	}
	did(s, wxapi.GetUserCumulate, day)
	did(s, wxapi.GetArticleSummary, day)
	did(s, wxapi.GetArticleTotal, day)
	did(s, wxapi.GetUserRead, day)
	did(s, wxapi.GetUserReadHour, day)
	did(s, wxapi.GetUserShare, day)
	did(s, wxapi.GetUserShareHour, day)
	did(s, wxapi.GetUpstreamMsg, day)
	did(s, wxapi.GetUpstreamMsgHour, day)
	did(s, wxapi.GetUpstreamMsgWeek, day)
	did(s, wxapi.GetUpstreamMsgMonth, day)
	did(s, wxapi.GetUpstreamMsgDist, day)
	did(s, wxapi.GetUpstreamMsgDistWeek, day)
	did(s, wxapi.GetUpstreamMsgDistMonth, day)
	did(s, wxapi.GetInterfaceSummary, day)
	did(s, wxapi.GetInterfaceSummaryHour, day)
}
