/** What a scenario works with: one client's driver against one target, and names that no other scenario uses. */
import assert from "node:assert/strict";
import { createTopic, request } from "../../scripts/peers/request.ts";
import type { ClientName } from "./clients.ts";
import type { Command, DescribedMessage, Driver, DriverAnswer, ReceivedMessage, SendOutcome } from "./driver.ts";
import type { Target } from "./target.ts";

export class Context {
  readonly client: ClientName;
  readonly driver: Driver;
  /** Of all clients of this run. */
  readonly drivers: ReadonlyMap<ClientName, Driver>;
  /** Holds the admin client of 5.5.0. */
  readonly admin: Driver;
  readonly target: Target;
  /** The client's home directory, for further processes. */
  readonly home: string;
  readonly #prefix: string;
  readonly #started: { driver: Driver; name: string }[] = [];

  constructor(
    client: ClientName,
    drivers: ReadonlyMap<ClientName, Driver>,
    admin: Driver,
    target: Target,
    scenario: string,
    home: string,
  ) {
    this.client = client;
    this.driver = drivers.get(client)!;
    this.drivers = drivers;
    this.admin = admin;
    this.target = target;
    this.home = home;
    this.#prefix = `${scenario}_${client.replace(/\W/g, "")}`;
  }

  get isJava(): boolean {
    return this.client.startsWith("java");
  }

  /** A name of this scenario, for topics, groups and instances alike. */
  named(what: string): string {
    return `${this.#prefix}_${what}`;
  }

  async topic(what: string, queues: number): Promise<string> {
    const topic = this.named(what);
    await createTopic(this.target.broker, this.target.namesrv, topic, queues);
    return topic;
  }

  async producer(what = "p", fields: Omit<Command, "do"> = {}): Promise<string> {
    const name = this.named(what);
    await this.start({ do: "producer", name, ...fields });
    return name;
  }

  /** Starts a client, here or in another driver, that is stopped at the end of the scenario. Answers its name. */
  async start(command: Command & { name: string }, driver: Driver = this.driver): Promise<string> {
    await driver.call(command);
    this.#started.push({ driver, name: command.name });
    return command.name;
  }

  /** A push consumer, from first unless told otherwise. */
  push(what: string, topic: string, fields: Record<string, string | number | boolean> = {}): Promise<string> {
    const name = this.named(what);
    return this.start({ do: "push", name, group: this.named("g"), topic, ...fields });
  }

  async stop(name: string): Promise<void> {
    this.#started.splice(this.#started.findIndex((each) => each.name === name), 1);
    await this.driver.call({ do: "stop", name });
  }

  async end(): Promise<void> {
    const stop = ({ driver, name }: { driver: Driver; name: string }) =>
      driver.attempt({ do: "stop", name }).catch(() => {});
    await Promise.all(this.#started.splice(0).map(stop));
  }

  async send(producer: string, topic: string, fields: Omit<Command, "do">): Promise<SendOutcome[]> {
    return (await this.driver.call({ do: "send", name: producer, topic, ...fields })).results;
  }

  call(command: Command): Promise<DriverAnswer> {
    return this.driver.call(command);
  }

  /** What a push consumer received with success, each key once, after all `keys` came. */
  async received(consumer: string, keys: string[], timeoutMs?: number): Promise<ReceivedMessage[]> {
    const seen = () => this.driver.messages(consumer).filter((message) => !message.failed);
    const missing = () => {
      const have = new Set(seen().map((message) => message.key));
      return keys.filter((key) => !have.has(key));
    };
    await this.driver.until(
      () => missing().length === 0,
      () => `${consumer} did not receive ${missing().length} of ${keys.length}: ${missing().slice(0, 5)}`,
      timeoutMs,
    );
    return [...new Map(seen().map((message) => [message.key, message])).values()];
  }

  /** Sum over the queues of what the broker keeps as consumed by the group. */
  async committed(group: string, topic: string, queues: number): Promise<number> {
    let sum = 0;
    for (let queueId = 0; queueId < queues; queueId++) {
      const fields = { consumerGroup: group, topic, queueId: String(queueId) };
      const answer = await request(this.target.broker, 14, fields);
      if (answer.code === 0) sum += Number(answer.fields.offset);
    }
    return sum;
  }

  async maxOffset(topic: string, queueId: number): Promise<number> {
    const answer = await request(this.target.broker, 30, { topic, queueId: String(queueId) });
    return answer.code === 0 ? Number(answer.fields.offset) : -1;
  }
}

export function keysOf(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${from + i}`);
}

/** Asks until the answer holds; for what only the broker knows. */
export async function eventually(holds: () => Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(`after ${timeoutMs} ms still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Every send was stored, and each queue's offsets go up by one from 0. */
export function assertStored(results: SendOutcome[], count: number): void {
  assert.equal(results.length, count);
  const offsets = new Map<number, number[]>();
  for (const result of results) {
    assert.equal(result.status, "SEND_OK", result.key);
    offsets.set(result.queueId, [...offsets.get(result.queueId) ?? [], result.queueOffset]);
  }
  for (const [queueId, list] of offsets) {
    list.sort((a, b) => a - b);
    assert.deepEqual(list, list.map((_, i) => i), `offsets of queue ${queueId}`);
  }
}

/** Each message came as it was acknowledged: queue, offset, both ids and body. */
export function assertSame(results: SendOutcome[], messages: DescribedMessage[]): void {
  const byKey = new Map(messages.map((message) => [message.key, message]));
  for (const sent of results) {
    const got = byKey.get(sent.key);
    assert.ok(got, `${sent.key} did not come`);
    assert.equal(got.topic, sent.topic);
    assert.deepEqual(
      [got.queueId, got.queueOffset, got.hash, got.msgId, got.offsetMsgId],
      [sent.queueId, sent.queueOffset, sent.hash, sent.msgId, sent.offsetMsgId],
      sent.key,
    );
  }
}
