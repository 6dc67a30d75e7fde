import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageExt;

/** Producers of every kind. */
class Sending {
    static final Map<String, DefaultMQProducer> PRODUCERS = new ConcurrentHashMap<>();

    static void start(Command c, String name) throws Exception {
        String group = c.text("group", name);
        DefaultMQProducer producer;
        if (c.flag("transactions")) {
            TransactionMQProducer transactional = new TransactionMQProducer(group);
            transactional.setTransactionListener(new Decisions(name, c.text("check", "")));
            producer = transactional;
        } else if (c.flag("trace")) {
            producer = new DefaultMQProducer(group, true, null);
        } else {
            producer = new DefaultMQProducer(group);
        }
        Driver.configure(producer, name);
        producer.setSendMsgTimeout(10_000);
        producer.setMaxMessageSize((int) c.number("maxMessageSize", 4 << 20));
        producer.start();
        PRODUCERS.put(name, producer);
    }

    static void stop(String name) {
        DefaultMQProducer producer = PRODUCERS.remove(name);
        if (producer != null) producer.shutdown();
    }

    /** Decides as the message's properties say; a check as the producer was told, if it was. */
    static class Decisions implements TransactionListener {
        final String producer;
        final String check;

        Decisions(String producer, String check) {
            this.producer = producer;
            this.check = check;
        }

        @Override public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
            return state(message.getProperty("local"));
        }

        @Override public LocalTransactionState checkLocalTransaction(MessageExt message) {
            String answer = check.isEmpty() ? message.getProperty("check") : check;
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("event", "check");
            event.put("consumer", producer);
            event.put("answer", answer);
            event.put("receivedAt", System.currentTimeMillis());
            event.putAll(Described.message(message));
            Driver.emit(event);
            return state(answer);
        }

        private static LocalTransactionState state(String name) {
            if ("commit".equals(name)) return LocalTransactionState.COMMIT_MESSAGE;
            if ("rollback".equals(name)) return LocalTransactionState.ROLLBACK_MESSAGE;
            return LocalTransactionState.UNKNOW;
        }
    }

    static Message message(Command c, int i) throws Exception {
        String key = c.text("prefix", "m") + "-" + i;
        Message message = new Message(c.text("topic", ""), body(c, key));
        message.setKeys(key);
        if (c.has("tags")) message.setTags(c.inTurn("tags", i));
        if (c.number("delay", 0) > 0) message.setDelayTimeLevel((int) c.number("delay", 0));
        if (c.has("priority")) Later.priority(message, Integer.parseInt(c.inTurn("priority", i)));
        Later.timer(message, c);
        if (c.has("local")) message.putUserProperty("local", c.inTurn("local", i));
        if (c.has("check")) message.putUserProperty("check", c.inTurn("check", i));
        for (String property : c.text("properties", "").split(";")) {
            if (property.isEmpty()) continue;
            String[] values = property.substring(property.indexOf('=') + 1).split(",", -1);
            String value = values[i % values.length];
            if (!value.isEmpty()) MessageAccessor.putProperty(message, property.substring(0, property.indexOf('=')), value);
        }
        return message;
    }

    /** The key itself, or `size` bytes of it repeated (`fill` text) or of noise that does not compress (`fill` noise). */
    private static byte[] body(Command c, String key) {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        int size = (int) c.number("size", 0);
        if (size == 0) return text;
        byte[] body = new byte[size];
        if (c.text("fill", "text").equals("noise")) new Random(size).nextBytes(body);
        else for (int i = 0; i < size; i++) body[i] = text[i % text.length];
        return body;
    }

    static List<Object> send(Command c, DefaultMQProducer producer) throws Exception {
        int count = (int) c.number("count", 1);
        int from = (int) c.number("from", 0);
        String mode = c.text("mode", "sync");
        List<Object> results = new ArrayList<>();
        if (mode.equals("batch")) {
            List<Message> batch = new ArrayList<>();
            for (int i = from; i < from + count; i++) batch.add(message(c, i));
            results.add(Described.result(producer.send(batch), "", new byte[0]));
        } else if (mode.equals("async")) {
            sendAsync(c, producer, from, count, results);
        } else {
            for (int i = from; i < from + count; i++) {
                Message message = message(c, i);
                if (mode.equals("oneway")) {
                    producer.sendOneway(message);
                    continue;
                }
                SendResult result = sendOne(c, producer, mode, message, i);
                results.add(Described.result(result, message.getKeys(), message.getBody()));
            }
        }
        return results;
    }

    private static SendResult sendOne(Command c, DefaultMQProducer producer, String mode, Message message, int i)
        throws Exception {
        if (mode.equals("transaction")) return ((TransactionMQProducer) producer).sendMessageInTransaction(message, null);
        if (mode.equals("ordered")) {
            return producer.send(message, new SelectMessageQueueByHash(), "shard" + i % (int) c.number("shards", 1));
        }
        return producer.send(message);
    }

    private static void sendAsync(Command c, DefaultMQProducer producer, int from, int count, List<Object> results)
        throws Exception {
        CountDownLatch answered = new CountDownLatch(count);
        List<Throwable> errors = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            Message message = message(c, i);
            producer.send(message, new SendCallback() {
                @Override public void onSuccess(SendResult result) {
                    synchronized (results) {
                        results.add(Described.result(result, message.getKeys(), message.getBody()));
                    }
                    answered.countDown();
                }

                @Override public void onException(Throwable e) {
                    synchronized (results) {
                        errors.add(e);
                    }
                    answered.countDown();
                }
            });
        }
        if (!answered.await(30, TimeUnit.SECONDS)) throw new IllegalStateException("asynchronous sends unanswered");
        if (!errors.isEmpty()) throw new IllegalStateException(errors.get(0));
    }

    /** Sends one message and answers the reply to it. */
    static Map<String, Object> request(Command c, DefaultMQProducer producer) throws Exception {
        Message message = message(c, (int) c.number("from", 0));
        long timeout = c.number("timeoutMs", 10_000);
        if (!c.text("mode", "sync").equals("async")) return Described.plain(producer.request(message, timeout));
        CompletableFuture<Message> reply = new CompletableFuture<>();
        producer.request(message, new RequestCallback() {
            // The client calls back when the request was sent too, with nothing.
            @Override public void onSuccess(Message answer) {
                if (answer != null) reply.complete(answer);
            }

            @Override public void onException(Throwable e) {
                if (e != null) reply.completeExceptionally(e);
            }
        }, timeout);
        return Described.plain(reply.get(timeout + 10_000, TimeUnit.MILLISECONDS));
    }

    static List<Object> query(Command c, DefaultMQProducer producer) throws Exception {
        long now = System.currentTimeMillis();
        return Described.messages(producer
            .queryMessage(c.text("topic", ""), c.text("key", ""), 32, now - 3_600_000, now + 60_000).getMessageList());
    }
}
