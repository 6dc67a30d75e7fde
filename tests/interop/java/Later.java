import java.lang.reflect.Method;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;

/** What 5.x clients have methods for and 4.9 clients have not: there the property is set by hand. */
class Later {
    static Method method(Class<?> type, String name, Class<?>... parameters) {
        try {
            return type.getMethod(name, parameters);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static void set(Message message, String setter, Class<?> type, Object value, String property) throws Exception {
        Method method = method(Message.class, setter, type);
        if (method != null) method.invoke(message, value);
        else MessageAccessor.putProperty(message, property, String.valueOf(value));
    }

    static void timer(Message message, Command c) throws Exception {
        if (c.has("delaySec")) set(message, "setDelayTimeSec", long.class, c.number("delaySec", 0), "TIMER_DELAY_SEC");
        if (c.has("delayMs")) set(message, "setDelayTimeMs", long.class, c.number("delayMs", 0), "TIMER_DELAY_MS");
        if (c.has("deliverMs")) set(message, "setDeliverTimeMs", long.class, c.number("deliverMs", 0), "TIMER_DELIVER_MS");
    }

    static void priority(Message message, int priority) throws Exception {
        set(message, "setPriority", int.class, priority, "_SYS_MSG_PRIORITY_");
    }

    static String recallHandle(SendResult result) {
        Method method = method(SendResult.class, "getRecallHandle");
        try {
            return method == null ? null : (String) method.invoke(result);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static String recall(DefaultMQProducer producer, String topic, String handle) throws Exception {
        Method method = method(DefaultMQProducer.class, "recallMessage", String.class, String.class);
        if (method == null) throw new UnsupportedOperationException("this client cannot recall");
        return (String) method.invoke(producer, topic, handle);
    }
}
