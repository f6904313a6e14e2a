package wxsim

import (
	"path"
	"slices"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// spans are the APIs of the data cube, and of how many days each tells at most.
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/User_Analysis_Data_Interface.html
var spans = map[string]int{
	"getusersummary": 7, "getusercumulate": 7,
	"getarticlesummary": 1, "getarticletotal": 1, "getuserread": 3, "getuserreadhour": 1, "getusershare": 7, "getusersharehour": 1,
	"getupstreammsg": 7, "getupstreammsghour": 1, "getupstreammsgweek": 30, "getupstreammsgmonth": 30,
	"getupstreammsgdist": 15, "getupstreammsgdistweek": 30, "getupstreammsgdistmonth": 30,
	"getinterfacesummary": 30, "getinterfacesummaryhour": 1,
}

func init() {
	for name := range spans {
		stateful(endpoint{name: name, method: "POST", path: "/datacube/" + name, body: bodyJSON, run: dataCube})
	}
}

// dataCube answers one made-up entry for each day that was asked for. Only followers are counted.
func dataCube(p *Platform, x *exchange) answer {
	days, code := p.days(x, spans[path.Base(x.path)])
	if code != 0 {
		return failure(code)
	}
	list := []any{}
	for _, day := range days {
		switch path.Base(x.path) {
		case "getusersummary":
			list = append(list, wxapi.UserSummary{RefDate: day.Format(time.DateOnly), NewUser: p.followedBetween(day, day.AddDate(0, 0, 1))})
		case "getusercumulate":
			list = append(list, wxapi.UserCumulate{RefDate: day.Format(time.DateOnly), CumulateUser: p.followedBetween(time.Time{}, day.AddDate(0, 0, 1))})
		default:
			if made, ok := example(x.row.Response, 0).(map[string]any)["list"].([]any)[0].(map[string]any); ok {
				made["ref_date"] = day.Format(time.DateOnly)
				list = append(list, made)
			}
		}
	}
	return object(map[string]any{"list": list})
}

// days are those that a request asks for, in China's time; or the errcode. Today is not over yet, and not told.
func (p *Platform) days(x *exchange, most int) (days []time.Time, code int) {
	var req wxapi.DateRange
	if _, ok := x.decode(&req); !ok {
		return nil, 47001
	}
	begin, err1 := time.ParseInLocation(time.DateOnly, req.BeginDate, china)
	end, err2 := time.ParseInLocation(time.DateOnly, req.EndDate, china)
	switch {
	case err1 != nil || err2 != nil:
		return nil, 61500
	case end.Before(begin), !end.Before(begin.AddDate(0, 0, most)), end.AddDate(0, 0, 1).After(x.now):
		return nil, 61501
	}
	for day := begin; !day.After(end); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return days, 0
}

// followedBetween counts those who follow and began to in a time.
func (p *Platform) followedBetween(from, to time.Time) int64 {
	all := slices.DeleteFunc(p.followers.sorted(), func(f *follower) bool { return f.since.Before(from) || !f.since.Before(to) })
	return int64(len(all))
}
