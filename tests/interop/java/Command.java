import java.util.Map;

/** One command: flat, values are strings, numbers and booleans. */
class Command {
    final Map<String, Object> fields;

    Command(Map<String, Object> fields) {
        this.fields = fields;
    }

    boolean has(String name) {
        return fields.containsKey(name);
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

    /** The i-th of values between commas, again from the first after the last; empty if the field is absent. */
    String inTurn(String name, int i) {
        String[] each = text(name, "").split(",");
        return each[i % each.length];
    }
}
