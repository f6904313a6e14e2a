#!/bin/sh
# A service in a shell, with the nats command line: it answers followers and sends commands.
#
#   NATS_URL=nats://127.0.0.1:4222 ./answer.sh
#
# As a plain subscriber, one line does it:   nats reply 'wx.inbound.text' 'hello'
#
# `nats consumer next` acknowledges before the reply is stored: good for a trial, not for a service that must not lose one.
nats consumer info WX_INBOUND shell >/dev/null 2>&1 ||
	nats consumer add WX_INBOUND shell --pull --filter 'wx.inbound.text' --deliver new --ack explicit --defaults >/dev/null

field() { printf '%s' "$event" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

while :; do
	event=$(nats consumer next WX_INBOUND shell --raw --timeout 10s 2>/dev/null) || continue
	reply=hello
	if [ "$(field Content)" = ship ]; then
		nats pub -J wx.cmd.send_custom_message -H "Nats-Msg-Id:shipped-$(field wxreplyto | sed 's/.*\.//')" \
			'{"touser":"'"$(field subject)"'","msgtype":"text","text":{"content":"your parcel has left"}}'
		reply='on its way'
	fi
	nats pub -J "$(field wxreplyto)" '{"msgtype":"text","text":{"content":"'"$reply"'"}}'
done
