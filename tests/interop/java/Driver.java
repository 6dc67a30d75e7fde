import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Takes commands as flat JSON lines on stdin, answers and reports events as JSON lines on stdout. See protocol.md. */
public class Driver {
    static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    static final Map<String, DefaultMQProducer> PRODUCERS = new ConcurrentHashMap<>();
    static final Map<String, DefaultMQPushConsumer> PUSH = new ConcurrentHashMap<>();
    static final Map<String, DefaultMQPullConsumer> PULL = new ConcurrentHashMap<>();
    static final Map<String, DefaultLitePullConsumer> LITE = new ConcurrentHashMap<>();
    static String namesrv = "";

    public static void main(String[] args) throws Exception {
        namesrv = args[0];
        // Whatever a library prints must not get between the answers.
        System.setOut(System.err);
        ExecutorService pool = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Command command = new Command(Json.parse(line));
            pool.execute(() -> answer(command));
        }
        System.exit(0);
    }

    static void emit(Map<String, Object> value) {
        String line = Json.write(value);
        synchronized (OUT) {
            OUT.print(line);
            OUT.print('\n');
            OUT.flush();
        }
    }

    static void answer(Command c) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("id", c.number("id", 0));
        try {
            out.put("ok", true);
            run(c, out);
        } catch (Throwable e) {
            out.put("ok", false);
            out.put("code", errorCode(e));
            out.put("error", String.valueOf(e));
        }
        emit(out);
    }

    static long errorCode(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof MQBrokerException) return ((MQBrokerException) t).getResponseCode();
            if (t instanceof MQClientException && ((MQClientException) t).getResponseCode() > 0) {
                return ((MQClientException) t).getResponseCode();
            }
        }
        return -1;
    }

    static void run(Command c, Map<String, Object> out) throws Exception {
        String name = c.text("name", "");
        switch (c.text("do", "")) {
            case "producer": producer(c, name); break;
            case "send": out.put("results", send(c, PRODUCERS.get(name))); break;
            case "view": out.put("message", describe(PRODUCERS.get(name).viewMessage(c.text("topic", ""), c.text("msgId", "")))); break;
            case "query": out.put("messages", query(c, PRODUCERS.get(name))); break;
            case "push": push(c, name); break;
            case "pull": pull(c, name); break;
            case "pull.once": pullOnce(c, PULL.get(name), out); break;
            case "pull.offsets": pullOffsets(c, PULL.get(name), out); break;
            case "pull.commit": pullCommit(c, PULL.get(name)); break;
            case "pull.committed": out.put("offset", PULL.get(name).fetchConsumeOffset(queue(c), true)); break;
            case "lite": lite(c, name); break;
            case "lite.poll": out.put("messages", describeAll(LITE.get(name).poll(c.number("timeoutMs", 1000)))); break;
            case "lite.seek": LITE.get(name).seek(queue(c), c.number("offset", 0)); break;
            case "lite.commit": LITE.get(name).commitSync(); break;
            case "lite.committed": out.put("offset", LITE.get(name).committed(queue(c))); break;
            case "lite.offsetForTimestamp":
                out.put("offset", LITE.get(name).offsetForTimestamp(queue(c), c.number("timestamp", 0)));
                break;
            case "stop": stop(name); break;
            default: throw new UnsupportedOperationException("no such command: " + c.text("do", ""));
        }
    }

    static void stop(String name) {
        DefaultMQProducer producer = PRODUCERS.remove(name);
        if (producer != null) producer.shutdown();
        DefaultMQPushConsumer push = PUSH.remove(name);
        if (push != null) push.shutdown();
        DefaultMQPullConsumer pull = PULL.remove(name);
        if (pull != null) pull.shutdown();
        DefaultLitePullConsumer lite = LITE.remove(name);
        if (lite != null) lite.shutdown();
    }

    /** Each client of this process is an instance of its own, with short intervals so that scenarios need not wait. */
    static void configure(ClientConfig client, String name) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName(name);
        client.setPollNameServerInterval(1000);
        client.setHeartbeatBrokerInterval(2000);
        client.setPersistConsumerOffsetInterval(500);
        client.setClientCallbackExecutorThreads(2);
    }

    static void producer(Command c, String name) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(c.text("group", name));
        configure(producer, name);
        producer.setSendMsgTimeout(10_000);
        producer.setMaxMessageSize((int) c.number("maxMessageSize", 4 << 20));
        producer.start();
        PRODUCERS.put(name, producer);
    }

    static Message message(Command c, int i) {
        String key = c.text("prefix", "m") + "-" + i;
        Message message = new Message(c.text("topic", ""), body(c, key));
        message.setKeys(key);
        String tags = c.text("tags", "");
        if (!tags.isEmpty()) {
            String[] each = tags.split(",");
            message.setTags(each[i % each.length]);
        }
        if (c.number("delay", 0) > 0) message.setDelayTimeLevel((int) c.number("delay", 0));
        return message;
    }

    /** The key itself, or `size` bytes of it repeated (`fill` text) or of noise that does not compress (`fill` noise). */
    static byte[] body(Command c, String key) {
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
            results.add(describe(producer.send(batch), "", new byte[0]));
        } else if (mode.equals("async")) {
            sendAsync(c, producer, from, count, results);
        } else {
            int shards = (int) c.number("shards", 1);
            for (int i = from; i < from + count; i++) {
                Message message = message(c, i);
                if (mode.equals("oneway")) {
                    producer.sendOneway(message);
                } else if (mode.equals("ordered")) {
                    SendResult result = producer.send(message, new SelectMessageQueueByHash(), "shard" + i % shards);
                    results.add(describe(result, message.getKeys(), message.getBody()));
                } else {
                    results.add(describe(producer.send(message), message.getKeys(), message.getBody()));
                }
            }
        }
        return results;
    }

    static void sendAsync(Command c, DefaultMQProducer producer, int from, int count, List<Object> results)
        throws Exception {
        CountDownLatch answered = new CountDownLatch(count);
        List<Throwable> errors = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            Message message = message(c, i);
            producer.send(message, new SendCallback() {
                @Override public void onSuccess(SendResult result) {
                    synchronized (results) {
                        results.add(describe(result, message.getKeys(), message.getBody()));
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

    static Map<String, Object> describe(SendResult result, String key, byte[] body) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("key", key);
        out.put("status", result.getSendStatus().name());
        out.put("topic", result.getMessageQueue().getTopic());
        out.put("queueId", result.getMessageQueue().getQueueId());
        out.put("queueOffset", result.getQueueOffset());
        out.put("msgId", result.getMsgId());
        out.put("offsetMsgId", result.getOffsetMsgId());
        out.put("hash", hash(body));
        return out;
    }

    static Map<String, Object> describe(MessageExt message) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("topic", message.getTopic());
        out.put("queueId", message.getQueueId());
        out.put("queueOffset", message.getQueueOffset());
        out.put("msgId", message.getMsgId());
        out.put("offsetMsgId", message instanceof MessageClientExt ? ((MessageClientExt) message).getOffsetMsgId() : "");
        out.put("key", message.getKeys());
        out.put("tags", message.getTags());
        out.put("hash", hash(message.getBody()));
        out.put("length", message.getBody().length);
        out.put("storeSize", message.getStoreSize());
        out.put("reconsumeTimes", message.getReconsumeTimes());
        out.put("bornTimestamp", message.getBornTimestamp());
        out.put("storeTimestamp", message.getStoreTimestamp());
        out.put("commitLogOffset", message.getCommitLogOffset());
        return out;
    }

    static List<Object> describeAll(Collection<MessageExt> messages) {
        List<Object> out = new ArrayList<>();
        if (messages != null) for (MessageExt message : messages) out.add(describe(message));
        return out;
    }

    static List<Object> query(Command c, DefaultMQProducer producer) throws Exception {
        long now = System.currentTimeMillis();
        return describeAll(producer.queryMessage(c.text("topic", ""), c.text("key", ""), 32, now - 3_600_000, now + 60_000)
            .getMessageList());
    }

    static void push(Command c, String name) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(c.text("group", name));
        configure(consumer, name);
        consumer.setConsumeThreadMin(2);
        consumer.setConsumeThreadMax(4);
        consumer.setSuspendCurrentQueueTimeMillis(200);
        consumer.setConsumeFromWhere(from(c));
        if (!c.text("timestamp", "").isEmpty()) consumer.setConsumeTimestamp(c.text("timestamp", ""));
        if (c.number("maxReconsumeTimes", -1) >= 0) consumer.setMaxReconsumeTimes((int) c.number("maxReconsumeTimes", -1));
        setModel(consumer, c.text("model", "CLUSTERING"));
        consumer.subscribe(c.text("topic", ""), c.text("tags", "*"));
        Listener listener = new Listener(name, (int) c.number("failTimes", 0));
        if (c.flag("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> listener.take(messages)
                ? ConsumeOrderlyStatus.SUCCESS
                : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT);
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> listener.take(messages)
                ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS
                : ConsumeConcurrentlyStatus.RECONSUME_LATER);
        }
        consumer.start();
        PUSH.put(name, consumer);
    }

    static ConsumeFromWhere from(Command c) {
        switch (c.text("from", "first")) {
            case "last": return ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET;
            case "timestamp": return ConsumeFromWhere.CONSUME_FROM_TIMESTAMP;
            default: return ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET;
        }
    }

    /** The enum lives in another package in each generation of the client. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    static void setModel(DefaultMQPushConsumer consumer, String model) throws Exception {
        for (Method method : DefaultMQPushConsumer.class.getMethods()) {
            if (!method.getName().equals("setMessageModel")) continue;
            Class<? extends Enum> type = (Class<? extends Enum>) method.getParameterTypes()[0];
            method.invoke(consumer, Enum.valueOf(type, model));
        }
    }

    /** Reports every message, and refuses each the first `failTimes` times (always when negative). */
    static class Listener {
        final String consumer;
        final int failTimes;
        final Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();

        Listener(String consumer, int failTimes) {
            this.consumer = consumer;
            this.failTimes = failTimes;
        }

        boolean take(List<MessageExt> messages) {
            boolean good = true;
            for (MessageExt message : messages) {
                int before = seen.computeIfAbsent(String.valueOf(message.getKeys()), k -> new AtomicInteger()).getAndIncrement();
                boolean fails = failTimes < 0 || before < failTimes;
                Map<String, Object> event = new LinkedHashMap<>();
                event.put("event", "message");
                event.put("consumer", consumer);
                event.put("failed", fails);
                event.putAll(describe(message));
                emit(event);
                if (fails) good = false;
            }
            return good;
        }
    }

    static MessageQueue queue(Command c) {
        return new MessageQueue(c.text("topic", ""), c.text("brokerName", "broker-a"), (int) c.number("queueId", 0));
    }

    static void pull(Command c, String name) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(c.text("group", name));
        configure(consumer, name);
        consumer.start();
        PULL.put(name, consumer);
    }

    static void pullOnce(Command c, DefaultMQPullConsumer consumer, Map<String, Object> out) throws Exception {
        PullResult result = consumer.pull(queue(c), c.text("tags", "*"), c.number("offset", 0), (int) c.number("max", 32));
        out.put("status", result.getPullStatus().name());
        out.put("nextBeginOffset", result.getNextBeginOffset());
        out.put("minOffset", result.getMinOffset());
        out.put("maxOffset", result.getMaxOffset());
        out.put("messages", describeAll(result.getMsgFoundList()));
    }

    /** Through the client's offset store to the broker at once; by itself it would wait for a rebalance first. */
    static void pullCommit(Command c, DefaultMQPullConsumer consumer) throws Exception {
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore()
            .updateConsumeOffsetToBroker(queue(c), c.number("offset", 0), false);
    }

    static void pullOffsets(Command c, DefaultMQPullConsumer consumer, Map<String, Object> out) throws Exception {
        List<Object> queues = new ArrayList<>();
        for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(c.text("topic", ""))) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("queueId", queue.getQueueId());
            one.put("minOffset", consumer.minOffset(queue));
            one.put("maxOffset", consumer.maxOffset(queue));
            one.put("searchOffset", consumer.searchOffset(queue, c.number("timestamp", 0)));
            queues.add(one);
        }
        out.put("queues", queues);
    }

    static void lite(Command c, String name) throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(c.text("group", name));
        configure(consumer, name);
        consumer.setAutoCommit(c.flag("autoCommit"));
        consumer.setConsumeFromWhere(from(c));
        if (!c.text("timestamp", "").isEmpty()) consumer.setConsumeTimestamp(c.text("timestamp", ""));
        if (c.flag("assign")) {
            consumer.start();
            consumer.assign(consumer.fetchMessageQueues(c.text("topic", "")));
        } else {
            consumer.subscribe(c.text("topic", ""), c.text("tags", "*"));
            consumer.start();
        }
        LITE.put(name, consumer);
    }

    static String hash(byte[] body) {
        try {
            StringBuilder text = new StringBuilder();
            for (byte b : MessageDigest.getInstance("SHA-256").digest(body)) text.append(String.format("%02x", b));
            return text.toString();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** One command: flat, values are strings, numbers and booleans. */
    static class Command {
        final Map<String, Object> fields;

        Command(Map<String, Object> fields) {
            this.fields = fields;
        }

        String text(String name, String otherwise) {
            Object value = fields.get(name);
            return value == null ? otherwise : String.valueOf(value);
        }

        long number(String name, long otherwise) {
            Object value = fields.get(name);
            return value == null ? otherwise : Long.parseLong(String.valueOf(value));
        }

        boolean flag(String name) {
            return "true".equals(text(name, "false"));
        }
    }

    /** As much JSON as the protocol needs; the two client generations bring different libraries. */
    static class Json {
        static Map<String, Object> parse(String line) {
            Map<String, Object> out = new LinkedHashMap<>();
            int[] at = {line.indexOf('{') + 1};
            while (at[0] < line.length()) {
                char c = line.charAt(at[0]);
                if (c == '}') break;
                if (c == ',' || c == ' ') {
                    at[0]++;
                    continue;
                }
                String key = string(line, at);
                while (line.charAt(at[0]) == ':' || line.charAt(at[0]) == ' ') at[0]++;
                if (line.charAt(at[0]) == '"') {
                    out.put(key, string(line, at));
                } else {
                    int start = at[0];
                    while (line.charAt(at[0]) != ',' && line.charAt(at[0]) != '}') at[0]++;
                    out.put(key, line.substring(start, at[0]).trim());
                }
            }
            return out;
        }

        private static String string(String line, int[] at) {
            StringBuilder text = new StringBuilder();
            for (at[0]++; line.charAt(at[0]) != '"'; at[0]++) {
                char c = line.charAt(at[0]);
                if (c == '\\') {
                    c = line.charAt(++at[0]);
                    if (c == 'n') c = '\n';
                    else if (c == 'u') {
                        c = (char) Integer.parseInt(line.substring(at[0] + 1, at[0] + 5), 16);
                        at[0] += 4;
                    }
                }
                text.append(c);
            }
            at[0]++;
            return text.toString();
        }

        static String write(Object value) {
            if (value instanceof Map) {
                List<String> parts = new ArrayList<>();
                for (Map.Entry<?, ?> e : ((Map<?, ?>) value).entrySet()) {
                    parts.add(write(e.getKey()) + ":" + write(e.getValue()));
                }
                return "{" + String.join(",", parts) + "}";
            }
            if (value instanceof Collection) {
                List<String> parts = new ArrayList<>();
                for (Object each : (Collection<?>) value) parts.add(write(each));
                return "[" + String.join(",", parts) + "]";
            }
            if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
            StringBuilder text = new StringBuilder("\"");
            for (char c : String.valueOf(value).toCharArray()) {
                if (c == '"' || c == '\\') text.append('\\').append(c);
                else if (c < 0x20) text.append(String.format("\\u%04x", (int) c));
                else text.append(c);
            }
            return text.append('"').toString();
        }
    }
}
