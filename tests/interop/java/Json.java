import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** As much JSON as the protocol needs; the two client generations bring different libraries. */
class Json {
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
