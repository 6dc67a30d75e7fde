import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;

/** Takes commands as flat JSON lines on stdin, answers and reports events as JSON lines on stdout. See protocol.md. */
public class Driver {
    static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    static String namesrv = "";
    /** Takes the commands that are not listed here. */
    static More more = (c, out) -> {
        throw new UnsupportedOperationException("no such command: " + c.text("do", ""));
    };

    interface More {
        void run(Command c, Map<String, Object> out) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        quiet();
        namesrv = args[0];
        ExecutorService pool = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Command command = new Command(Json.parse(line));
            pool.execute(() -> answer(command));
        }
        System.exit(0);
    }

    /** Whatever a library prints must not get between the answers. */
    static void quiet() {
        System.setOut(System.err);
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
        DefaultMQProducer producer = Sending.PRODUCERS.get(name);
        DefaultMQPullConsumer pull = Consuming.PULL.get(name);
        DefaultLitePullConsumer lite = Consuming.LITE.get(name);
        switch (c.text("do", "")) {
            case "producer": Sending.start(c, name); break;
            case "send": out.put("results", Sending.send(c, producer)); break;
            case "request": out.put("message", Sending.request(c, producer)); break;
            case "recall": out.put("msgId", Later.recall(producer, c.text("topic", ""), c.text("handle", ""))); break;
            case "view":
                out.put("message", Described.message(producer.viewMessage(c.text("topic", ""), c.text("msgId", ""))));
                break;
            case "query": out.put("messages", Sending.query(c, producer)); break;
            case "push": Consuming.push(c, name); break;
            case "pull": Consuming.pull(c, name); break;
            case "pull.once": Consuming.pullOnce(c, pull, out); break;
            case "pull.sendBack": Consuming.sendBack(c, pull); break;
            case "pull.offsets": Consuming.pullOffsets(c, pull, out); break;
            case "pull.commit": Consuming.pullCommit(c, pull); break;
            case "pull.committed": out.put("offset", pull.fetchConsumeOffset(Consuming.queue(c), true)); break;
            case "lite": Consuming.lite(c, name); break;
            case "lite.poll": out.put("messages", Described.messages(lite.poll(c.number("timeoutMs", 1000)))); break;
            case "lite.seek": lite.seek(Consuming.queue(c), c.number("offset", 0)); break;
            case "lite.commit": lite.commitSync(); break;
            case "lite.committed": out.put("offset", lite.committed(Consuming.queue(c))); break;
            case "lite.offsetForTimestamp":
                out.put("offset", lite.offsetForTimestamp(Consuming.queue(c), c.number("timestamp", 0)));
                break;
            case "stop":
                Sending.stop(name);
                Consuming.stop(name);
                break;
            default: more.run(c, out);
        }
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
}
