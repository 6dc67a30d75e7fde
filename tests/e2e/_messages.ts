import assert from "node:assert/strict";
import { hostPlatform, type Logger } from "@rmq/platform";
import { RequestCode, StoredMessage } from "@rmq/protocol";
import { createClient, type RemotingClient, type Response } from "@rmq/remoting";

const quiet: Logger = { info() {}, warn() {}, error() {} };
const TIMEOUT_MS = 10_000;

/** A client for single requests; whoever made it closes it. */
export class Messages {
  readonly client: RemotingClient = createClient(hostPlatform(), {}, quiet);

  /** Sends to queue 0 of a topic that may not exist yet; returns the queue offset that was acknowledged. */
  async send(broker: string, topic: string, body: string): Promise<number> {
    const fields = {
      producerGroup: "e2e",
      topic,
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      flag: 0,
      properties: "",
      reconsumeTimes: 0,
      unitMode: false,
      maxReconsumeTimes: 16,
    };
    const request = { code: RequestCode.SEND_MESSAGE, fields, body: new TextEncoder().encode(body) };
    const answer = await this.client.request(broker, request, TIMEOUT_MS);
    assert.equal(answer.code, 0, answer.remark ?? "");
    return Number(answer.fields.get("queueOffset"));
  }

  /** The largest offset of queue 0: how many messages it got. */
  async count(broker: string, topic: string): Promise<number> {
    const answer = await this.#ask(broker, RequestCode.GET_MAX_OFFSET, { topic, queueId: 0 });
    return answer.code === 0 ? Number(answer.fields.get("offset")) : 0;
  }

  /** The code of the answer to a question for a topic's route. */
  async routeCode(namesrv: string, topic: string): Promise<number> {
    return (await this.#ask(namesrv, RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic })).code;
  }

  /** The bodies that one pull from queue 0 brings. */
  async pull(broker: string, topic: string, offset: number): Promise<string[]> {
    const fields = {
      consumerGroup: "e2e",
      topic,
      queueId: 0,
      queueOffset: offset,
      maxMsgNums: 32,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: "*",
      subVersion: 0,
      expressionType: "TAG",
    };
    const answer = await this.#ask(broker, RequestCode.PULL_MESSAGE, fields);
    assert.equal(answer.code, 0, answer.remark ?? "");
    return bodies(answer.body ?? new Uint8Array());
  }

  close(): void {
    this.client.close();
  }

  #ask(address: string, code: number, fields: Record<string, string | number>): Promise<Response> {
    return this.client.request(address, { code, fields }, TIMEOUT_MS);
  }
}

function bodies(bytes: Uint8Array): string[] {
  const message = new StoredMessage();
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += message.size) {
    assert.ok(message.parse(bytes, at, bytes.length, true) > 0, "the answer to a pull holds whole messages");
    found.push(new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd)));
  }
  return found;
}
