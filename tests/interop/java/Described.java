import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;

/** What protocol.md says of a message and of a send result. */
class Described {
    static Map<String, Object> result(SendResult result, String key, byte[] body) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("key", key);
        out.put("status", result.getSendStatus().name());
        out.put("topic", result.getMessageQueue().getTopic());
        out.put("queueId", result.getMessageQueue().getQueueId());
        out.put("queueOffset", result.getQueueOffset());
        out.put("msgId", result.getMsgId());
        out.put("offsetMsgId", result.getOffsetMsgId());
        out.put("hash", hash(body));
        out.put("recallHandle", Later.recallHandle(result));
        return out;
    }

    /** Of a message that was not stored, as a reply: what every message has. */
    static Map<String, Object> plain(Message message) {
        byte[] body = message.getBody() == null ? new byte[0] : message.getBody();
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("topic", message.getTopic());
        out.put("key", message.getKeys());
        out.put("tags", message.getTags());
        out.put("hash", hash(body));
        out.put("length", body.length);
        out.put("text", body.length > 4096 ? "" : new String(body, StandardCharsets.UTF_8));
        out.put("properties", message.getProperties());
        return out;
    }

    static Map<String, Object> message(MessageExt message) {
        Map<String, Object> out = plain(message);
        out.put("queueId", message.getQueueId());
        out.put("queueOffset", message.getQueueOffset());
        out.put("msgId", message.getMsgId());
        out.put("offsetMsgId", message instanceof MessageClientExt ? ((MessageClientExt) message).getOffsetMsgId() : "");
        out.put("storeSize", message.getStoreSize());
        out.put("reconsumeTimes", message.getReconsumeTimes());
        out.put("bornTimestamp", message.getBornTimestamp());
        out.put("storeTimestamp", message.getStoreTimestamp());
        out.put("commitLogOffset", message.getCommitLogOffset());
        return out;
    }

    static List<Object> messages(Collection<MessageExt> messages) {
        List<Object> out = new ArrayList<>();
        if (messages != null) for (MessageExt each : messages) out.add(message(each));
        return out;
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
}
