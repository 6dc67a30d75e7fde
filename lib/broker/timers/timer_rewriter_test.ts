import assert from "node:assert/strict";
import test from "node:test";
import { MessageDraft, SysFlag } from "@rmq/protocol";
import { TestBroker } from "../_test_broker.ts";
import type { Target } from "../delivery/rewriters.ts";

const TOO_FAR = "timer message illegal, the delay time should not be bigger than the max delay 259200000ms; " +
  "or if set del msg, the delay time should be bigger than the current time";

/** What becomes of a message with these properties. */
async function rewritten(properties: Record<string, string>, changes = {}, sysFlag = 0) {
  const broker = await TestBroker.open(undefined, changes);
  const topic = broker.state.topics.createOnSend("T", "TBW102", 4, 0, "");
  if (topic === null) throw new Error("no topic");
  const draft = new MessageDraft();
  draft.sysFlag = sysFlag;
  for (const [name, value] of Object.entries(properties)) draft.properties.setNamed(name, value);
  const target: Target = { topic, queueId: 3 };
  const refusal = broker.timers.rewriter(draft, target);
  const all = Object.fromEntries(draft.properties.entries());
  return {
    refusal,
    topic: target.topic.name,
    queueId: target.queueId,
    properties: all,
    nowMs: broker.world.clock.nowMs(),
  };
}

const at = (found: { nowMs: number; properties: Record<string, string> }) =>
  Number(found.properties.TIMER_OUT_MS) - found.nowMs;

test("seconds count before milliseconds, these before the deadline; the tick before the time's end is kept", async () => {
  const seconds = await rewritten({ TIMER_DELAY_SEC: "10", TIMER_DELAY_MS: "20000", TIMER_DELIVER_MS: "1" });
  assert.deepEqual([seconds.topic, seconds.queueId], ["rmq_sys_wheel_timer", 0]);
  assert.deepEqual([seconds.properties.REAL_TOPIC, seconds.properties.REAL_QID], ["T", "3"]);
  // The simulated clock stands at a full second: what is due with a full second is in the tick before it.
  assert.equal(at(seconds), 9000);
  assert.equal(at(await rewritten({ TIMER_DELAY_MS: "1500", TIMER_DELIVER_MS: "1" })), 1000);
  assert.equal(at(await rewritten({ TIMER_DELAY_MS: "1" })), 0);
  assert.equal(at(await rewritten({ TIMER_DELAY_MS: "1550" }, { timerPrecisionMs: 100 })), 1500);
});

test("the longest delay is taken, a millisecond more is refused with Apache's words", async () => {
  assert.equal((await rewritten({ TIMER_DELAY_MS: "259200000" })).refusal, null);
  for (const text of ["259200001", "9223372036854775807", "soon", "1.5", " 7"]) {
    assert.deepEqual((await rewritten({ TIMER_DELAY_MS: text })).refusal, { code: 13, remark: TOO_FAR }, text);
  }
  assert.deepEqual((await rewritten({ TIMER_DELIVER_MS: "1", TIMER_DEL_UNIQKEY: "x" })).refusal?.code, 13);
});

test("what is due already is an ordinary message, and so is one that was delivered by a timer before", async () => {
  for (const text of ["0", "-5"]) assert.equal((await rewritten({ TIMER_DELAY_SEC: text })).topic, "T");
  const before = await rewritten({ TIMER_DELAY_SEC: "5", TIMER_OUT_MS: "1000" });
  assert.deepEqual([before.topic, before.refusal], ["T", null]);
});

test("with a delay level the times are dropped, and half messages keep theirs for later", async () => {
  const level = await rewritten({ DELAY: "3", TIMER_DELAY_SEC: "5", TIMER_DELAY_MS: "5", TIMER_DELIVER_MS: "5" });
  assert.deepEqual([level.topic, level.properties], ["T", { DELAY: "3" }]);
  const half = await rewritten({ TIMER_DELAY_SEC: "5" }, {}, SysFlag.TRANSACTION_PREPARED);
  assert.deepEqual([half.topic, half.properties], ["T", { TIMER_DELAY_SEC: "5" }]);
});

test("without the wheel a message with a time is refused, one with a level is not", async () => {
  const off = { timerWheelEnable: false };
  const remark = "accurate timer message is not enabled, timerWheelEnable is false";
  assert.deepEqual((await rewritten({ TIMER_DELAY_SEC: "5" }, off)).refusal, { code: 1, remark });
  assert.equal((await rewritten({ TIMER_DELAY_SEC: "5", DELAY: "2" }, off)).refusal, null);
});
