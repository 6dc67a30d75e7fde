import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Base64;
import org.apache.rocketmq.broker.filter.ConsumerFilterManager;
import org.apache.rocketmq.broker.filter.MessageEvaluationContext;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.Expression;
import org.apache.rocketmq.filter.util.BloomFilter;

/**
 * Says of each line of the file args[0], in the file args[1], what Apache's own classes make of it. `F expression properties…` (each base64 of UTF-8):
 * `!` for an expression that does not compile, else for each property text whether it matches, 1 or 0.
 * `B error consumers text`: the bits of the bloom filter and their number. `C file`: consumerFilter.json, read and
 * written again.
 */
public class FilterJudge {
    public static void main(String[] args) throws Exception {
        try (BufferedReader in = Files.newBufferedReader(Paths.get(args[0]));
            BufferedWriter out = Files.newBufferedWriter(Paths.get(args[1]))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] parts = line.split(" ", -1);
                out.write(answer(parts) + "\n");
            }
        }
    }

    private static String answer(String[] parts) {
        switch (parts[0]) {
            case "B":
                return bits(parts);
            case "C":
                return kept(text(parts[1]));
            default:
                return judged(parts);
        }
    }

    private static String kept(String file) {
        ConsumerFilterManager manager = new ConsumerFilterManager();
        manager.decode(file);
        return manager.encode(false);
    }

    private static String judged(String[] parts) {
        Expression expression;
        try {
            expression = FilterFactory.INSTANCE.get("SQL92").compile(text(parts[1]));
        } catch (Throwable e) {
            return "!";
        }
        StringBuilder answers = new StringBuilder();
        for (int i = 2; i < parts.length; i++) {
            answers.append(matches(expression, text(parts[i])) ? '1' : '0');
        }
        return answers.toString();
    }

    private static boolean matches(Expression expression, String properties) {
        try {
            MessageEvaluationContext context =
                new MessageEvaluationContext(MessageDecoder.string2messageProperties(properties));
            return Boolean.TRUE.equals(expression.evaluate(context));
        } catch (Throwable e) {
            return false;
        }
    }

    private static String bits(String[] parts) {
        BloomFilter filter = BloomFilter.createByFn(Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
        return filter.getM() + " " + Arrays.toString(filter.calcBitPositions(text(parts[3]))).replace(" ", "");
    }

    private static String text(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }
}
