/**
 * Nanoseconds an operation of the codecs on the hot path. Run with `bun bench/micro/codecs.ts` or
 * `deno run -A bench/micro/codecs.ts`; a name or a part of it as argument runs only what matches.
 *
 * @module
 */
import {
  encodeProperty,
  encodeStored,
  Fields,
  FrameDecoder,
  Header,
  KnownProperty,
  MessageDraft,
  Output,
  Properties,
  PullAnswer,
  SendAnswer,
  StoredMessage,
  storedSize,
  writeRequest,
} from "@rmq/protocol";

const ROUNDS = 150;
const OPERATIONS_A_ROUND = 2000;

const wanted = (globalThis as unknown as { process: { argv: string[] } }).process.argv[2] ?? "";

/** Best of many rounds that are shorter than a time slice: the machine may be shared. */
function measure(name: string, operation: () => void): void {
  if (!name.includes(wanted)) return;
  for (let i = 0; i < 50000; i++) operation();
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < OPERATIONS_A_ROUND; i++) operation();
    best = Math.min(best, performance.now() - start);
  }
  console.log(`${name.padEnd(52)} ${(best * 1e6 / OPERATIONS_A_ROUND).toFixed(1).padStart(8)} ns`);
}

const encode = (text: string) => new TextEncoder().encode(text);

function frameOf(header: string, body: Uint8Array): Uint8Array {
  const bytes = encode(header);
  const out = new Output();
  out.i32(4 + bytes.length + body.length);
  out.i32(bytes.length);
  out.raw(bytes);
  out.raw(body);
  return out.take();
}

const properties =
  "KEYS\\u0001KEY0 K2\\u0002UNIQ_KEY\\u00017F00000115704E0E2F2A70097C0E0000\\u0002WAIT\\u0001true\\u0002TAGS\\u0001TagA\\u0002";
const body = new Uint8Array(1024).fill(65);
const send = frameOf(
  `{"code":310,"extFields":{"a":"PG_498","b":"TopicTest","c":"TBW102","d":"4","e":"2","f":"0","g":"1795370869782","h":"0","i":"${properties}","j":"0","k":"false","m":"false","n":"broker-a"},"flag":0,"language":"JAVA","opaque":5,"serializeTypeCurrentRPC":"JSON","version":513}`,
  body,
);
const pull = frameOf(
  `{"code":11,"extFields":{"queueId":"1","maxMsgBytes":"262144","maxMsgNums":"32","sysFlag":"2","suspendTimeoutMillis":"15000","commitOffset":"-1","bname":"broker-a","topic":"TopicTest","queueOffset":"123456","expressionType":"TAG","subVersion":"1795370754491","consumerGroup":"ConsumerGroup"},"flag":0,"language":"JAVA","opaque":114,"serializeTypeCurrentRPC":"JSON","version":513}`,
  new Uint8Array(0),
);
const goSend = frameOf(
  `{"code":10,"language":"GO","version":317,"opaque":3,"flag":0,"remark":"","extFields":{"batch":"false","properties":"${properties}","queueId":"1","bornTimestamp":"1795370902872","reconsumeTimes":"0","unitMode":"false","defaultTopic":"TBW102","defaultTopicQueueNums":"4","producerGroup":"PG_go","topic":"Tgo","sysFlag":"0","flag":"0","maxReconsumeTimes":"0"}}`,
  body,
);
const binary = (() => {
  const header = new Header();
  header.read(send, 0, send.length);
  const out = new Output();
  writeRequest(out, { code: 310, opaque: 5, fields: Object.fromEntries(header.extEntries()), body }, 1);
  return out.take();
})();

const SEND = Fields.SEND_MESSAGE_V2;
const PULL = Fields.PULL_MESSAGE;
const header = new Header();
const props = new Properties();
let sink = 0;

console.log(`send header ${send.length - 1032} bytes, pull header ${pull.length - 8} bytes`);
measure("header scan 310", () => header.read(send, 0, send.length));
measure("header scan 310 and all its numbers", () => {
  header.read(send, 0, send.length);
  sink += header.int(SEND.d, 0) + header.int(SEND.e, 0) + header.int(SEND.f, 0) + header.long(SEND.g, 0) +
    header.int(SEND.h, 0) + header.int(SEND.j, 0) + (header.bool(SEND.k, false) ? 1 : 0);
});
measure("header scan 310, binary", () => header.read(binary, 0, binary.length));
measure("header scan 10 of Go (code 10, long names)", () => header.read(goSend, 0, goSend.length));
measure("header scan 11", () => header.read(pull, 0, pull.length));
measure("header scan 11 and all its numbers", () => {
  header.read(pull, 0, pull.length);
  sink += header.int(PULL.queueId, 0) + header.long(PULL.queueOffset, 0) + header.int(PULL.maxMsgNums, 0) +
    header.int(PULL.sysFlag, 0) + header.long(PULL.commitOffset, 0) + header.long(PULL.suspendTimeoutMillis, 0) +
    header.long(PULL.subVersion, 0) + header.int(PULL.maxMsgBytes, 0);
});

const decoder = new FrameDecoder();
const chunk = new Uint8Array(send.length * 45);
for (let i = 0; i < 45; i++) chunk.set(send, i * send.length);
measure("frame decoder, 45 frames of a chunk", () => decoder.push(chunk, (_bytes, start) => void (sink += start)));

header.read(send, 0, send.length);
measure("properties from the header", () => props.readHeader(header, SEND.i));
const appended = new Uint8Array([
  ...encodeProperty("CLUSTER", "DefaultCluster"),
  ...encodeProperty("MSG_REGION", "DefaultRegion"),
  ...encodeProperty("TRACE_ON", "true"),
]);
measure("properties from the header, three appended", () => {
  props.readHeader(header, SEND.i);
  props.appendEncoded(appended);
});

const draft = new MessageDraft();
draft.topic = encode("TopicTest");
draft.bornTimestamp = draft.storeTimestamp = 1795370869782;
draft.bornHost = draft.storeHost = new Uint8Array([127, 0, 0, 1]);
draft.storePort = 10911;
draft.bornPort = 50000;
draft.body = send;
draft.bodyStart = header.bodyStart;
draft.bodyEnd = header.bodyEnd;
props.readHeader(header, SEND.i);
props.appendEncoded(appended);
draft.properties = props;
const stored = new Uint8Array(storedSize(draft));
measure(`encodeStored, 1 KiB body, ${stored.length} bytes`, () => encodeStored(draft, stored, 0));

const message = new StoredMessage();
measure("StoredMessage.parse and scanProperties", () => {
  message.parse(stored, 0, stored.length, false);
  message.scanProperties();
});
measure("StoredMessage.parse with CRC", () => message.parse(stored, 0, stored.length, true));

const out = new Output(1 << 16);
const answer = new SendAnswer({
  regionId: "DefaultRegion",
  traceOn: true,
  storeHost: new Uint8Array([127, 0, 0, 1]),
  storePort: 10911,
});
const uniq = KnownProperty.UNIQ_KEY;
measure("send answer", () => {
  out.length = 0;
  answer.write(out, 123456, 0, 3, 123456, 1234567890, props.bytes, props.start(uniq), props.end(uniq));
});
const pullAnswer = new PullAnswer();
measure("pull answer", () => {
  out.length = 0;
  pullAnswer.write(out, 123456, 0, "FOUND", 0, 123488, 0, 1234567, 0, 0, 1024);
});
measure("whole send: scan, properties, store, answer", () => {
  header.read(send, 0, send.length);
  props.readHeader(header, SEND.i);
  props.appendEncoded(appended);
  draft.queueId = header.int(SEND.e, 0);
  draft.bornTimestamp = header.long(SEND.g, 0);
  encodeStored(draft, stored, 0);
  out.length = 0;
  answer.write(out, header.opaque, 0, 3, 123456, 1234567890, props.bytes, props.start(uniq), props.end(uniq));
});
if (sink === 0) console.log("nothing ran");
