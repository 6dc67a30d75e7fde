import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.offset.GetConsumerStatusCommand;
import org.apache.rocketmq.tools.command.offset.ResetOffsetByTimeOldCommand;

/** Several mqadmin commands in one JVM, one an argument with its words joined by tabs; a line `===== number` before each. */
public class MqadminScript {
    public static void main(String[] commands) {
        System.setErr(System.out);
        MQAdminStartup.initCommand(new GetConsumerStatusCommand());
        MQAdminStartup.initCommand(new ResetOffsetByTimeOldCommand());
        for (int i = 0; i < commands.length; i++) {
            System.out.println("\n===== " + i);
            MQAdminStartup.main0(commands[i].split("\t"), null);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
