// A service in Java: it answers followers and sends commands. With io.nats:jnats on the class path:
//
//   java -cp jnats.jar Answer.java nats://127.0.0.1:4222
//   java -cp jnats.jar Answer.java nats://127.0.0.1:4222 plain

import io.nats.client.Connection;
import io.nats.client.ConsumerContext;
import io.nats.client.IterableConsumer;
import io.nats.client.JetStream;
import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.PublishOptions;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Answer {
    public static void main(String[] args) throws Exception {
        String url = args.length > 0 ? args[0] : "nats://127.0.0.1:4222";
        // Under permissions: Nats.connect(Options.builder().server(url).inboxPrefix("_INBOX_WX_APPLICATION")...build())
        try (Connection nc = Nats.connect(url)) {
            if (args.length > 1 && args[1].equals("plain")) {
                plain(nc);
            } else {
                serve(nc);
            }
        }
    }

    static void serve(Connection nc) throws Exception {
        JetStream js = nc.jetStream();
        try (IterableConsumer events = consumer(nc).iterate()) {
            while (true) {
                Message msg = events.nextMessage(Duration.ofSeconds(5));
                if (msg == null) {
                    continue;
                }
                try {
                    answer(js, msg);
                } catch (Exception error) {
                    System.err.println("the event comes again: " + error);
                    msg.nakWithDelay(Duration.ofSeconds(1));
                }
            }
        }
    }

    static void answer(JetStream js, Message msg) throws Exception {
        String event = new String(msg.getData(), StandardCharsets.UTF_8);
        String reply = "hello";
        if (field(event, "Content").equals("ship")) {
            // The id follows from the event's: if this event comes again, the command is not carried out again.
            String command = "{\"touser\":\"" + field(event, "subject") + "\",\"msgtype\":\"text\",\"text\":{\"content\":\"your parcel has left\"}}";
            js.publish("wx.cmd.send_custom_message", bytes(command),
                PublishOptions.builder().messageId("shipped-" + field(event, "id")).build());
            reply = "on its way";
        }
        js.publish(field(event, "wxreplyto"), bytes("{\"msgtype\":\"text\",\"text\":{\"content\":\"" + reply + "\"}}"));
        msg.ack(); // after the reply is stored: a crash before it brings the event again
    }

    // The consumer may be there already, made by an operator; making it may not be allowed.
    static ConsumerContext consumer(Connection nc) throws Exception {
        try {
            return nc.getConsumerContext("WX_INBOUND", "orders");
        } catch (JetStreamApiException missing) {
            nc.jetStreamManagement().addOrUpdateConsumer("WX_INBOUND", ConsumerConfiguration.builder()
                .durable("orders")
                .filterSubject("wx.inbound.text")
                .ackPolicy(AckPolicy.Explicit)
                .deliverPolicy(DeliverPolicy.New)
                .build());
            return nc.getConsumerContext("WX_INBOUND", "orders");
        }
    }

    // Needs neither stream nor consumer; what comes while it is away it misses.
    static void plain(Connection nc) throws Exception {
        nc.createDispatcher(msg -> nc.publish(msg.getReplyTo(), bytes("hello"))).subscribe("wx.inbound.text");
        Thread.currentThread().join();
    }

    // A service of yours has a JSON library; for the fields that are read here a pattern will do.
    static String field(String event, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(event);
        return found.find() ? found.group(1) : "";
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
