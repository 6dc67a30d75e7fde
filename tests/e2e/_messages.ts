import assert from "node:assert/strict";
import { RequestCode } from "@rmq/protocol";
import type { RemotingClient, Response } from "@rmq/remoting";
import { messagesIn, pullRequest, quietClient, sendRequest } from "../messaging/wire.ts";

const TIMEOUT_MS = 10_000;

/** A client for single requests; whoever made it closes it. */
export class Messages {
  readonly client: RemotingClient = quietClient();

  /** Sends to queue 0 of a topic that may not exist yet; returns the queue offset that was acknowledged. */
  async send(broker: string, topic: string, body: string): Promise<number> {
    const request = sendRequest({ group: "e2e", topic, queueId: 0, body });
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
    const answer = await this.client.request(broker, pullRequest("e2e", topic, 0, offset), TIMEOUT_MS);
    assert.equal(answer.code, 0, answer.remark ?? "");
    return messagesIn(answer.body ?? new Uint8Array()).map((message) => message.body);
  }

  close(): void {
    this.client.close();
  }

  #ask(address: string, code: number, fields: Record<string, string | number>): Promise<Response> {
    return this.client.request(address, { code, fields }, TIMEOUT_MS);
  }
}
