"""A service in Python: it answers followers and sends commands.

    pip install nats-py
    python answer.py nats://127.0.0.1:4222
    python answer.py nats://127.0.0.1:4222 plain
"""
import asyncio
import json
import sys

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy


async def answer(js, msg):
    event = json.loads(msg.data)
    reply = "hello"
    if event["data"]["Content"] == "ship":
        # The id follows from the event's: if this event comes again, the command is not carried out again.
        command = {"touser": event["subject"], "msgtype": "text", "text": {"content": "your parcel has left"}}
        await js.publish("wx.cmd.send_custom_message", json.dumps(command).encode(),
                         headers={"Nats-Msg-Id": "shipped-" + event["id"]})
        reply = "on its way"
    await js.publish(event["wxreplyto"], json.dumps({"msgtype": "text", "text": {"content": reply}}).encode())
    await msg.ack()  # after the reply is stored: a crash before it brings the event again


async def serve(nc):
    js = nc.jetstream()
    # An inbox prefix of yours goes here too: inbox_prefix=b"_INBOX_WX_APPLICATION."
    events = await js.pull_subscribe("wx.inbound.text", durable="orders", stream="WX_INBOUND",
                                     config=ConsumerConfig(deliver_policy=DeliverPolicy.NEW))
    while True:
        try:
            batch = await events.fetch(16, timeout=5)
        except nats.errors.TimeoutError:
            continue
        for msg in batch:
            try:
                await answer(js, msg)
            except Exception as error:
                print("the event comes again:", error, file=sys.stderr)
                await msg.nak(delay=1)


async def plain(nc):
    """Needs neither stream nor consumer; what comes while it is away it misses."""
    async def respond(msg):
        await msg.respond(b"hello")

    await nc.subscribe("wx.inbound.text", cb=respond)
    await asyncio.Event().wait()


async def main(url="nats://127.0.0.1:4222", how="serve"):
    nc = await nats.connect(url, name="orders")
    await (plain if how == "plain" else serve)(nc)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
