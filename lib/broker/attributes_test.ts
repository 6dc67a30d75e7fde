import assert from "node:assert/strict";
import test from "node:test";
import { alterAttributes, groupAttributes, parseAttributes, topicAttributes } from "./attributes.ts";

const create = (text: string) => alterAttributes(topicAttributes, null, parseAttributes(text));

test("attributes are added, changed and taken away by their signs", () => {
  const first = create("+message.type=FIFO,+cleanup.policy=DELETE");
  assert.deepEqual(first, { "message.type": "FIFO", "cleanup.policy": "DELETE" });
  const second = alterAttributes(topicAttributes, first, parseAttributes("-message.type"));
  assert.deepEqual(second, { "cleanup.policy": "DELETE" });
});

test("a change that Apache refuses is refused in its words", () => {
  const refused: [() => unknown, string][] = [
    [() => create("+nope=1"), "unsupported key: nope"],
    [() => create("message.type=FIFO"), "add/alter attribute format is wrong: message.type"],
    [() => create("message.type"), "delete attribute format is wrong: message.type"],
    [() => create("-message.type"), "only add attribute is supported while creating topic. key: message.type"],
    [() => create("+message.type=FIFO,+message.type=DELAY"), "key duplication: +message.type"],
    [() => create("+lite.topic.expiration=-2"), "value is not in range(-1, 43200)"],
    [
      () => alterAttributes(topicAttributes, {}, { "+queue.type": "BatchCQ" }),
      "attempt to update an unchangeable attribute. key: queue.type",
    ],
    [
      () => alterAttributes(topicAttributes, {}, { "-message.type": "" }),
      "attempt to delete a nonexistent key: message.type",
    ],
    [() => alterAttributes(groupAttributes, {}, { "lite.bind.topic": "P" }), "wrong format key: ite.bind.topic"],
    [() => alterAttributes(topicAttributes, {}, { "+constructor": "1" }), "unsupported key: constructor"],
  ];
  for (const [run, message] of refused) assert.throws(run, { name: "AttributeError", message });
});
