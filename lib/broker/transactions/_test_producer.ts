/** A producer of transactions for tests: a client's end without a socket. */
import assert from "node:assert/strict";
import { StoredMessage } from "@rmq/protocol";
import type { PeerRequest } from "@rmq/remoting";
import { Peer, type TestBroker } from "../_test_broker.ts";

export const COMMIT = 8;
export const ROLLBACK = 12;

/** A producer that answers checks as its group decided; null: it does not know yet. */
export class Producer extends Peer {
  readonly checks: { msgId: string; halfOffset: number; body: string; topic: string; queueId: number }[] = [];
  decision: number | null = null;
  /** Decides by the body, where it says something. */
  decide: (body: string) => number | null = () => this.decision;

  constructor(readonly broker: TestBroker, readonly group: string) {
    super(group);
    this.connection.oneway = (request) => this.#check(request);
  }

  async online(): Promise<this> {
    const heartbeat = { clientID: this.group, producerDataSet: [{ groupName: this.group }] };
    await this.broker.ask(34, {}, JSON.stringify(heartbeat), this);
    return this;
  }

  /** Sends a half message; its physical offset. */
  send(body: string, properties: Record<string, string> = {}): Promise<number> {
    const all = { TRAN_MSG: "true", PGROUP: this.group, UNIQ_KEY: "KEY-" + body, ...properties };
    return this.broker.send("T", 1, body, all);
  }

  end(halfOffset: number, physicalOffset: number, how: number, fromCheck = false): Promise<{ code: number }> {
    return this.broker.ask(37, this.#fields(halfOffset, physicalOffset, how, fromCheck));
  }

  #fields(halfOffset: number, physicalOffset: number, how: number, fromCheck: boolean) {
    return {
      producerGroup: this.group,
      tranStateTableOffset: halfOffset,
      commitLogOffset: physicalOffset,
      commitOrRollback: how,
      fromTransactionCheck: fromCheck,
      msgId: "x",
    };
  }

  #check({ code, fields, body }: PeerRequest): void {
    assert.equal(code, 39);
    const { msgId, tranStateTableOffset, commitLogOffset } = fields as Record<string, string | number>;
    const message = new StoredMessage();
    const bytes = body as Uint8Array;
    assert.equal(message.parse(bytes, 0, bytes.length, true), bytes.length);
    this.checks.push({
      msgId: String(msgId),
      halfOffset: Number(tranStateTableOffset),
      body: new TextDecoder().decode(bytes.subarray(message.bodyStart, message.bodyEnd)),
      topic: message.topicText(),
      queueId: message.queueId,
    });
    const decision = this.decide(this.checks[this.checks.length - 1].body);
    if (decision === null) return;
    const answer = this.#fields(Number(tranStateTableOffset), Number(commitLogOffset), decision, true);
    this.broker.hand(37, answer, "", this);
  }
}
