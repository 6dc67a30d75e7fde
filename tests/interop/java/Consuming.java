import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Consumers of every kind. */
class Consuming {
    static final Map<String, DefaultMQPushConsumer> PUSH = new ConcurrentHashMap<>();
    static final Map<String, DefaultMQPullConsumer> PULL = new ConcurrentHashMap<>();
    static final Map<String, DefaultLitePullConsumer> LITE = new ConcurrentHashMap<>();

    static void stop(String name) {
        DefaultMQPushConsumer push = PUSH.remove(name);
        if (push != null) push.shutdown();
        DefaultMQPullConsumer pull = PULL.remove(name);
        if (pull != null) pull.shutdown();
        DefaultLitePullConsumer lite = LITE.remove(name);
        if (lite != null) lite.shutdown();
    }

    static void push(Command c, String name) throws Exception {
        String group = c.text("group", name);
        DefaultMQPushConsumer consumer = c.flag("trace")
            ? new DefaultMQPushConsumer(group, true, null)
            : new DefaultMQPushConsumer(group);
        Driver.configure(consumer, name);
        consumer.setConsumeThreadMin(2);
        consumer.setConsumeThreadMax(4);
        consumer.setSuspendCurrentQueueTimeMillis(200);
        consumer.setConsumeFromWhere(from(c));
        if (c.has("timestamp")) consumer.setConsumeTimestamp(c.text("timestamp", ""));
        if (c.number("maxReconsumeTimes", -1) >= 0) consumer.setMaxReconsumeTimes((int) c.number("maxReconsumeTimes", -1));
        setModel(consumer, c.text("model", "CLUSTERING"));
        if (c.has("sql")) consumer.subscribe(c.text("topic", ""), MessageSelector.bySql(c.text("sql", "")));
        else consumer.subscribe(c.text("topic", ""), c.text("tags", "*"));
        Listener listener = new Listener(name, c);
        if (c.flag("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> listener.take(messages)
                ? ConsumeOrderlyStatus.SUCCESS
                : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT);
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                if (c.has("nextLevel")) context.setDelayLevelWhenNextConsume((int) c.number("nextLevel", 0));
                return listener.take(messages) ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS
                    : ConsumeConcurrentlyStatus.RECONSUME_LATER;
            });
        }
        consumer.start();
        PUSH.put(name, consumer);
    }

    private static ConsumeFromWhere from(Command c) {
        switch (c.text("from", "first")) {
            case "last": return ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET;
            case "timestamp": return ConsumeFromWhere.CONSUME_FROM_TIMESTAMP;
            default: return ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET;
        }
    }

    /** The enum lives in another package in each generation of the client. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static void setModel(DefaultMQPushConsumer consumer, String model) throws Exception {
        for (Method method : DefaultMQPushConsumer.class.getMethods()) {
            if (!method.getName().equals("setMessageModel")) continue;
            Class<? extends Enum> type = (Class<? extends Enum>) method.getParameterTypes()[0];
            method.invoke(consumer, Enum.valueOf(type, model));
        }
    }

    /** Reports every message, refuses each the first `failTimes` times (always when negative), replies when told to. */
    static class Listener {
        final String consumer;
        final int failTimes;
        final String onlyKey;
        final boolean throwing;
        final String replier;
        final long replyAfterMs;
        final Map<String, AtomicInteger> seen = new ConcurrentHashMap<>();

        Listener(String consumer, Command c) {
            this.consumer = consumer;
            this.failTimes = (int) c.number("failTimes", 0);
            this.onlyKey = c.text("onlyKey", "");
            this.throwing = c.flag("throwing");
            this.replier = c.text("replier", "");
            this.replyAfterMs = c.number("replyAfterMs", 0);
        }

        boolean take(List<MessageExt> messages) {
            boolean good = true;
            for (MessageExt message : messages) {
                int before = seen.computeIfAbsent(String.valueOf(message.getKeys()), k -> new AtomicInteger()).getAndIncrement();
                boolean meant = onlyKey.isEmpty() || onlyKey.equals(message.getKeys());
                boolean fails = meant && (failTimes < 0 || before < failTimes);
                report("message", message, "failed", fails);
                if (!replier.isEmpty()) reply(message);
                if (fails) good = false;
            }
            if (!good && throwing) throw new IllegalStateException("refused as told");
            return good;
        }

        private void report(String event, MessageExt message, String extra, Object value) {
            Map<String, Object> out = new LinkedHashMap<>();
            out.put("event", event);
            out.put("consumer", consumer);
            out.put(extra, value);
            out.put("receivedAt", System.currentTimeMillis());
            out.putAll(Described.message(message));
            Driver.emit(out);
        }

        private void reply(MessageExt message) {
            byte[] body = ("re: " + new String(message.getBody(), StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
            String outcome;
            try {
                if (replyAfterMs > 0) Thread.sleep(replyAfterMs);
                outcome = Sending.PRODUCERS.get(replier).send(MessageUtil.createReplyMessage(message, body)).getSendStatus().name();
            } catch (Exception e) {
                outcome = Driver.errorCode(e) + " " + e.getMessage();
            }
            report("reply", message, "outcome", outcome);
        }
    }

    static MessageQueue queue(Command c) {
        return new MessageQueue(c.text("topic", ""), c.text("brokerName", "broker-a"), (int) c.number("queueId", 0));
    }

    static void pull(Command c, String name) throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(c.text("group", name));
        Driver.configure(consumer, name);
        consumer.start();
        PULL.put(name, consumer);
    }

    static void pullOnce(Command c, DefaultMQPullConsumer consumer, Map<String, Object> out) throws Exception {
        PullResult result = pullResult(c, consumer);
        out.put("status", result.getPullStatus().name());
        out.put("nextBeginOffset", result.getNextBeginOffset());
        out.put("minOffset", result.getMinOffset());
        out.put("maxOffset", result.getMaxOffset());
        out.put("messages", Described.messages(result.getMsgFoundList()));
    }

    private static PullResult pullResult(Command c, DefaultMQPullConsumer consumer) throws Exception {
        long offset = c.number("offset", 0);
        int most = (int) c.number("max", 32);
        if (c.has("sql")) return consumer.pull(queue(c), MessageSelector.bySql(c.text("sql", "")), offset, most);
        return consumer.pull(queue(c), c.text("tags", "*"), offset, most);
    }

    /** Pulls a message and sends it back as a listener that refused it would. */
    static void sendBack(Command c, DefaultMQPullConsumer consumer) throws Exception {
        MessageExt message = pullResult(c, consumer).getMsgFoundList().get(0);
        consumer.sendMessageBack(message, (int) c.number("level", 0), c.text("brokerName", "broker-a"));
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
        Driver.configure(consumer, name);
        consumer.setAutoCommit(c.flag("autoCommit"));
        consumer.setConsumeFromWhere(from(c));
        if (c.has("timestamp")) consumer.setConsumeTimestamp(c.text("timestamp", ""));
        if (c.flag("assign")) {
            consumer.start();
            consumer.assign(consumer.fetchMessageQueues(c.text("topic", "")));
        } else {
            if (c.has("sql")) consumer.subscribe(c.text("topic", ""), MessageSelector.bySql(c.text("sql", "")));
            else consumer.subscribe(c.text("topic", ""), c.text("tags", "*"));
            consumer.start();
        }
        LITE.put(name, consumer);
    }
}
