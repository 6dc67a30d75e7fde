/** A change of attributes that can't be made; its message is the remark of code 1 (`AttributeUtil`, `AttributeParser`). */
export class AttributeError extends Error {
  override readonly name = "AttributeError";
}

/** What values an attribute may have, and whether it may change after creation. */
export interface AttributeRule {
  readonly changeable: boolean;
  /** Why a value can't be, or null. */
  readonly problem: (value: string) => string | null;
}

type Attributes = Readonly<Record<string, string>>;

const anything = () => null;
const oneOf = (values: readonly string[]) => (value: string) =>
  values.includes(value) ? null : `value is not in set: [${values.join(", ")}]`;
const between = (min: number, max: number) => (value: string) =>
  /^-?\d{1,19}$/.test(value) && Number(value) >= min && Number(value) <= max
    ? null
    : `value is not in range(${min}, ${max})`;
const yesOrNo = (value: string) => /^(true|false)$/i.test(value) ? null : "boolean attribute format is wrong.";
// Java's Long.MAX_VALUE, as far as a number can tell.
const UNLIMITED = 2 ** 63;

/** Attributes of topics (`TopicAttributes`). */
export const topicAttributes: Readonly<Record<string, AttributeRule>> = {
  "queue.type": { changeable: false, problem: oneOf(["BatchCQ", "SimpleCQ"]) },
  "cleanup.policy": { changeable: false, problem: oneOf(["DELETE", "COMPACTION"]) },
  "message.type": {
    changeable: true,
    problem: oneOf(["UNSPECIFIED", "MIXED", "TRANSACTION", "PRIORITY", "FIFO", "DELAY", "LITE", "NORMAL"]),
  },
  "reserve.time": { changeable: true, problem: between(-1, UNLIMITED) },
  "lite.topic.expiration": { changeable: true, problem: between(-1, 30 * 24 * 60) },
};

/** Attributes of consumer groups (`SubscriptionGroupAttributes`). */
export const groupAttributes: Readonly<Record<string, AttributeRule>> = {
  "priority.factor": { changeable: true, problem: between(0, 100) },
  "lite.bind.topic": { changeable: true, problem: anything },
  "lite.sub.client.quota": { changeable: true, problem: between(-1, UNLIMITED) },
  "lite.sub.model": { changeable: true, problem: oneOf(["Shared", "Exclusive"]) },
  "lite.sub.reset.offset.exclusive": { changeable: true, problem: yesOrNo },
  "lite.sub.reset.offset.unsubscribe": { changeable: true, problem: yesOrNo },
  "lite.sub.client.max.event.cnt": { changeable: true, problem: between(10, UNLIMITED) },
  "lite.sub.wildcard": { changeable: true, problem: anything },
};

/** `+key=value,-key` as a map with the signs still on the keys. */
export function parseAttributes(text: string | null): Record<string, string> {
  const changes: Record<string, string> = {};
  if (text === null || text === "") return changes;
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    const key = equals < 0 ? part : part.slice(0, equals);
    const sign = equals < 0 ? "-" : "+";
    if (!key.includes(sign)) {
      throw new AttributeError(`${equals < 0 ? "delete" : "add/alter"} attribute format is wrong: ${key}`);
    }
    if (Object.hasOwn(changes, key)) throw new AttributeError(`key duplication: ${key}`);
    changes[key] = equals < 0 ? "" : part.slice(equals + 1);
  }
  return changes;
}

/** The attributes after a change; `current` null: what they belong to is being created. Throws AttributeError. */
export function alterAttributes(
  rules: Readonly<Record<string, AttributeRule>>,
  current: Attributes | null,
  changes: Attributes,
): Record<string, string> {
  const result: Record<string, string> = { ...current };
  const seen = new Set<string>();
  for (const [signed, value] of Object.entries(changes)) {
    const key = signed.slice(1);
    if (key === "" || /[+-]/.test(key)) throw new AttributeError("kv string format wrong.");
    if (seen.has(key)) throw new AttributeError(`alter duplication key. key: ${key}`);
    seen.add(key);
    const adds = signed.startsWith("+");
    checkSign(signed, key, adds, current);
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) throw new AttributeError(`unsupported key: ${key}`);
    if (current !== null && !rule.changeable) {
      throw new AttributeError(`attempt to update an unchangeable attribute. key: ${key}`);
    }
    const problem = adds ? rule.problem(value) : null;
    if (problem !== null) throw new AttributeError(problem);
    if (adds) result[key] = value;
    else delete result[key];
  }
  return result;
}

function checkSign(signed: string, key: string, adds: boolean, current: Attributes | null): void {
  if (adds) return;
  if (current === null) {
    throw new AttributeError(`only add attribute is supported while creating topic. key: ${key}`);
  }
  if (!signed.startsWith("-")) throw new AttributeError(`wrong format key: ${key}`);
  if (!Object.hasOwn(current, key)) throw new AttributeError(`attempt to delete a nonexistent key: ${key}`);
}
