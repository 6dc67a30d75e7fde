import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.body.ConsumeMessageDirectlyResult;
import org.apache.rocketmq.remoting.protocol.body.ConsumerRunningInfo;
import org.apache.rocketmq.remoting.protocol.body.Connection;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.admin.api.MessageTrack;

/** A driver that holds the admin client of 5.5.0 too. See protocol.md. */
public class Admin {
    public static void main(String[] args) throws Exception {
        Driver.quiet();
        DefaultMQAdminExt admin = new DefaultMQAdminExt(20_000);
        admin.setNamesrvAddr(args[0]);
        admin.setInstanceName("admin");
        admin.start();
        Driver.more = (c, out) -> run(admin, c, out);
        Driver.main(args);
    }

    static void run(DefaultMQAdminExt admin, Command c, Map<String, Object> out) throws Exception {
        String topic = c.text("topic", "");
        String group = c.text("group", "");
        long now = System.currentTimeMillis();
        switch (c.text("do", "")) {
            case "admin.byKey":
                out.put("messages", Described.messages(
                    admin.queryMessage(topic, c.text("key", ""), 32, now - 3_600_000, now + 60_000).getMessageList()));
                break;
            case "admin.byUniqueKey":
                out.put("messages", Described.messages(
                    admin.queryMessageByUniqKey("DefaultCluster", topic, c.text("msgId", ""), 32, now - 3_600_000, now + 60_000)
                        .getMessageList()));
                break;
            case "admin.view": out.put("message", Described.message(admin.viewMessage(topic, c.text("msgId", "")))); break;
            case "admin.tracks": out.put("tracks", tracks(admin, topic, c.text("msgId", ""))); break;
            case "admin.resetByTime":
                out.put("offsets", offsets(admin.resetOffsetByTimestamp(topic, group, c.number("timestamp", 0), c.flag("force"))));
                break;
            case "admin.resetByOffset":
                admin.resetOffsetByQueueId(c.text("broker", ""), group, topic, (int) c.number("queueId", 0), c.number("offset", 0));
                break;
            case "admin.members": out.put("members", members(admin, group)); break;
            case "admin.runningInfo": out.put("info", info(admin, group, c.text("clientId", ""))); break;
            case "admin.consumeDirectly": {
                ConsumeMessageDirectlyResult result =
                    admin.consumeMessageDirectly(group, c.text("clientId", ""), topic, c.text("msgId", ""));
                out.put("status", result.getConsumeResult().name());
                break;
            }
            case "admin.consumerStatus": {
                Map<String, Object> clients = new LinkedHashMap<>();
                admin.getConsumeStatus(topic, group, c.text("clientId", "")).forEach((id, table) -> clients.put(id, offsets(table)));
                out.put("clients", clients);
                break;
            }
            default: throw new UnsupportedOperationException("no such command: " + c.text("do", ""));
        }
    }

    private static Map<String, Object> offsets(Map<MessageQueue, Long> table) {
        Map<String, Object> out = new LinkedHashMap<>();
        table.forEach((queue, offset) -> out.put(String.valueOf(queue.getQueueId()), offset));
        return out;
    }

    private static List<Object> members(DefaultMQAdminExt admin, String group) throws Exception {
        List<Object> out = new ArrayList<>();
        for (Connection each : admin.examineConsumerConnectionInfo(group).getConnectionSet()) out.add(each.getClientId());
        return out;
    }

    private static List<Object> tracks(DefaultMQAdminExt admin, String topic, String msgId) throws Exception {
        List<Object> out = new ArrayList<>();
        for (MessageTrack each : admin.messageTrackDetail(admin.viewMessage(topic, msgId))) {
            out.add(each.getConsumerGroup() + " " + each.getTrackType());
        }
        return out;
    }

    private static Map<String, Object> info(DefaultMQAdminExt admin, String group, String clientId) throws Exception {
        ConsumerRunningInfo info = admin.getConsumerRunningInfo(group, clientId, false);
        List<Object> topics = new ArrayList<>();
        info.getSubscriptionSet().forEach(each -> topics.add(each.getTopic()));
        Map<String, Object> queues = new LinkedHashMap<>();
        info.getMqTable().forEach((queue, held) ->
            queues.put(queue.getTopic() + "@" + queue.getQueueId(), held.getCommitOffset()));
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("topics", topics);
        out.put("queues", queues);
        return out;
    }
}
