/** What ill-behaved peers send, as bytes of one connection each. */
import { encodeBatch } from "@rmq/protocol";

const MIB = 1024 * 1024;

/** An attack that is so large that its effect is looked at by itself. */
export interface LargeAttack {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function frame(length: number, headerInfo: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + rest.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, length | 0);
  view.setInt32(4, headerInfo | 0);
  bytes.set(rest, 8);
  return bytes;
}

/** A frame with this header, whatever it is, and this body. */
export function jsonFrame(header: string, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(header);
  const rest = new Uint8Array(text.length + body.length);
  rest.set(text);
  rest.set(body, text.length);
  return frame(4 + rest.length, text.length, rest);
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(Math.random() * 256));
}

function send(code: number, properties: string, body: Uint8Array, changes: Record<string, string> = {}): Uint8Array {
  const fields = { a: "hostile", b: "HostileT", c: "TBW102", d: "4", e: "0", f: "0", g: "1", h: "0", j: "0" };
  const extFields = { ...fields, i: properties, ...changes };
  return jsonFrame(JSON.stringify({ code, opaque: 1, version: 513, flag: 0, extFields }), body);
}

/** Small attacks, random ones among them. */
export function smallAttacks(): Uint8Array[] {
  const good = jsonFrame('{"code":310,"extFields":{"b":"T"},"flag":0,"language":"JAVA","opaque":1,"version":513}');
  const list: Uint8Array[] = [
    frame(0, 0, randomBytes(16)),
    frame(-1, 0, randomBytes(16)),
    frame(0x7fffffff, 0, randomBytes(16)),
    frame(3, 0, randomBytes(16)),
    frame(100, 0x00ffffff, randomBytes(96)),
    frame(100, 0x07000010, randomBytes(96)),
    good.subarray(0, good.length - 5),
    jsonFrame("[1,2,3]"),
    jsonFrame('{"code":"x","opaque":{}}'),
    jsonFrame('{"code":310,"opaque":1,"extFields":{"a":1,"b":[],"e":{"f":1},"i":null}}', randomBytes(10)),
    jsonFrame('{"code":310,"opaque":99999999999999999999}'),
    jsonFrame('{"code":11,"opaque":1,"extFields":{"topic":"T","queueOffset":"-9223372036854775808","queueId":"-1"}}'),
    jsonFrame(`{"code":310,"opaque":1,"extFields":{"b":"${"x".repeat(300)}"}}`, randomBytes(5)),
    jsonFrame('{"code":320,"opaque":1,"extFields":{"b":"HostileT","c":"TBW102","d":"4","e":"0"}}', randomBytes(500)),
    jsonFrame('{"code":34,"opaque":1}', new TextEncoder().encode("{".repeat(100_000))),
    jsonFrame(`${"[".repeat(60_000)}`),
    new TextEncoder().encode("PROXY TCP4 999.1.1.1 x y z\r\n"),
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Uint8Array.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8]),
    // Properties that look like the end of an entry, and a message that calls itself a batch.
    send(310, `K\u0001a${"\0".repeat(1200)}b\u0002`, randomBytes(16)),
    send(310, "INNER_NUM\u00015\u0002", randomBytes(16), { f: String(0x80) }),
  ];
  for (let i = 0; i < 40; i++) list.push(randomBytes(1 + Math.floor(Math.random() * 3000)));
  return list;
}

function objects(bytes: number): string {
  return Array(Math.floor(bytes / 3)).fill("{}").join(",");
}

/** Attacks of megabytes: each wants the loop for itself. */
export function largeAttacks(): LargeAttack[] {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const lock = utf8(`{"consumerGroup":"g","clientId":"c","mqSet":[${objects(5 * MIB)}]}`);
  const heartbeat = utf8(`{"clientID":"c","consumerDataSet":[${objects(5 * MIB)}],"producerDataSet":[]}`);
  const tiny = encodeBatch(Array.from({ length: 100_000 }, () => ({ body: utf8("x"), properties: utf8("") })));
  return [
    { name: "a header of 13 MiB", bytes: jsonFrame(`{"code":34,"opaque":1,"x":[${objects(13 * MIB)}]}`) },
    { name: "a header just below 1 MiB", bytes: jsonFrame(`{"code":34,"opaque":1,"x":[${objects(MIB - 64)}]}`) },
    { name: "queues to lock, 5 MiB", bytes: jsonFrame('{"code":41,"opaque":1}', lock) },
    { name: "a heartbeat of 5 MiB", bytes: jsonFrame('{"code":34,"opaque":1}', heartbeat) },
    { name: "a batch of 100,000 messages", bytes: send(320, "", tiny, { m: "true" }) },
  ];
}
