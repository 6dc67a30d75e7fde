/** One remoting request over a connection of its own: what a test or bench asks a name server or broker itself. */
import { connect } from "node:net";

export interface Answer {
  code: number;
  fields: Record<string, string>;
  remark: string;
  body: Uint8Array;
}

export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

export function encodeRequest(
  code: number,
  fields: Record<string, string>,
  body: Uint8Array = new Uint8Array(0),
  opaque = 1,
): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({
    code,
    extFields: fields,
    flag: 0,
    language: "JAVA",
    opaque,
    serializeTypeCurrentRPC: "JSON",
    version: 513,
  }));
  const frame = new Uint8Array(8 + header.length + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 4 + header.length + body.length);
  view.setUint32(4, header.length);
  frame.set(header, 8);
  frame.set(body, 8 + header.length);
  return frame;
}

export function request(
  address: string,
  code: number,
  fields: Record<string, string>,
  body?: Uint8Array,
  timeoutMs = 10_000,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received: Uint8Array = new Uint8Array(0);
    const socket = connect(splitAddress(address), () => socket.write(encodeRequest(code, fields, body)));
    const timer = setTimeout(() => socket.destroy(new Error(`no answer to ${code} from ${address}`)), timeoutMs);
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(new Error(`${address} closed the connection instead of answering ${code}`));
    });
    socket.on("data", (chunk: Uint8Array) => {
      const joined = new Uint8Array(received.length + chunk.length);
      joined.set(received);
      joined.set(chunk, received.length);
      received = joined;
      if (received.length < 4) return;
      const view = new DataView(received.buffer);
      const length = view.getUint32(0);
      if (received.length < 4 + length) return;
      const headerLength = view.getUint32(4) & 0xffffff;
      const header = JSON.parse(new TextDecoder().decode(received.subarray(8, 8 + headerLength)));
      resolve({
        code: header.code,
        fields: header.extFields ?? {},
        remark: header.remark ?? "",
        body: received.slice(8 + headerLength, 4 + length),
      });
      socket.destroy();
    });
  });
}

/** Creates a topic at a broker; who asks the broker directly needs no name server. */
export async function createTopicAtBroker(broker: string, topic: string, queues: number): Promise<void> {
  const answer = await request(broker, 17, {
    topic,
    defaultTopic: "TBW102",
    readQueueNums: String(queues),
    writeQueueNums: String(queues),
    perm: "6",
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: "0",
    order: "false",
    attributes: "",
    force: "false",
  });
  if (answer.code !== 0) throw new Error(`topic ${topic} was not created: code ${answer.code}, ${answer.remark}`);
}

/** Creates a topic at a broker and waits until the name server answers its route. */
export async function createTopic(broker: string, namesrv: string, topic: string, queues: number): Promise<void> {
  await createTopicAtBroker(broker, topic, queues);
  const deadline = performance.now() + 15_000;
  while ((await request(namesrv, 105, { topic })).code !== 0) {
    if (performance.now() > deadline) throw new Error(`no route for ${topic} at ${namesrv}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
