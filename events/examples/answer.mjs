// A service in JavaScript: it answers followers and sends commands.
//
//   npm install nats
//   node answer.mjs nats://127.0.0.1:4222
//   node answer.mjs nats://127.0.0.1:4222 plain
import { AckPolicy, connect, DeliverPolicy } from "nats";

async function answer(js, msg) {
  const event = msg.json();
  let reply = "hello";
  if (event.data.Content === "ship") {
    // The id follows from the event's: if this event comes again, the command is not carried out again.
    const command = { touser: event.subject, msgtype: "text", text: { content: "your parcel has left" } };
    await js.publish("wx.cmd.send_custom_message", JSON.stringify(command), { msgID: "shipped-" + event.id });
    reply = "on its way";
  }
  await js.publish(event.wxreplyto, JSON.stringify({ msgtype: "text", text: { content: reply } }));
  msg.ack(); // after the reply is stored: a crash before it brings the event again
}

// The consumer may be there already, made by an operator; making it may not be allowed.
async function consumer(nc, js) {
  try {
    return await js.consumers.get("WX_INBOUND", "orders");
  } catch {
    const manager = await nc.jetstreamManager();
    await manager.consumers.add("WX_INBOUND", {
      durable_name: "orders",
      filter_subject: "wx.inbound.text",
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.New,
    });
    return await js.consumers.get("WX_INBOUND", "orders");
  }
}

async function serve(nc) {
  const js = nc.jetstream();
  const events = await (await consumer(nc, js)).consume({ max_messages: 16 });
  for await (const msg of events) {
    answer(js, msg).catch((error) => {
      console.error("the event comes again:", error);
      msg.nak(1000);
    });
  }
}

// Needs neither stream nor consumer; what comes while it is away it misses.
async function plain(nc) {
  for await (const msg of nc.subscribe("wx.inbound.text")) {
    msg.respond("hello");
  }
}

const [url = "nats://127.0.0.1:4222", how = "serve"] = process.argv.slice(2);
const nc = await connect({ servers: url, name: "orders" }); // inboxPrefix: "_INBOX_WX_APPLICATION" under permissions
await (how === "plain" ? plain(nc) : serve(nc));
