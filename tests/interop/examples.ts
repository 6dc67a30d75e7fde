/** What each of Apache's examples is expected to print. Those of a chain share a topic or a group and follow each other. */
import assert from "node:assert/strict";
import { createTopic, request } from "../../scripts/peers/request.ts";
import { eventually } from "./context.ts";
import { ExampleProgram, type ExampleServers, receivedIds, sentIds } from "./example_program.ts";

export interface Example {
  name: string;
  run(stage: Stage): Promise<void>;
  /** Its source names 127.0.0.1:9876. */
  fixedAddress?: boolean;
}

/** What examples run on: the servers, and the programs that an example or its chain has started. */
export class Stage {
  readonly servers: ExampleServers;
  readonly #programs: ExampleProgram[] = [];

  constructor(servers: ExampleServers) {
    this.servers = servers;
  }

  program(name: string, ...args: string[]): ExampleProgram {
    const program = new ExampleProgram(this.servers, name, args);
    this.#programs.push(program);
    return program;
  }

  /** Starts a consumer and waits until it says so; one at a time, as a cold Java is slow beside another. */
  async started(name: string): Promise<ExampleProgram> {
    const program = this.program(name);
    await program.until((output) => output.includes("Consumer Started"), "not started");
    return program;
  }

  /** Starts a consumer, silent ones too, and waits until the broker knows its group. */
  async consumer(name: string, group: string, ...args: string[]): Promise<ExampleProgram> {
    const program = this.program(name, ...args);
    await eventually(
      async () => (await request(this.servers.broker, 38, { consumerGroup: group })).code === 0,
      `${name} is known`,
    );
    return program;
  }

  /** As an operator would before the consumers start. */
  topic(name: string, queues = 4): Promise<void> {
    return createTopic(this.servers.broker, this.servers.namesrv, name, queues);
  }

  /** Messages that are in all queues of a topic. */
  async stored(topic: string, queues = 4): Promise<number> {
    let sum = 0;
    for (let queueId = 0; queueId < queues; queueId++) {
      const answer = await request(this.servers.broker, 30, { topic, queueId: String(queueId) });
      if (answer.code === 0) sum += Number(answer.fields.offset);
    }
    return sum;
  }

  async end(): Promise<void> {
    await Promise.all(this.#programs.splice(0).map((program) => program.kill()));
  }
}

/** A producer that prints every result and ends. */
async function produced(stage: Stage, name: string, count: number, ...args: string[]): Promise<string[]> {
  const output = await stage.program(name, ...args).ended();
  const ids = sentIds(output);
  assert.equal(ids.length, count, output.slice(-1500));
  return ids;
}

async function gets(consumer: ExampleProgram, ids: string[], timeoutMs?: number): Promise<void> {
  const missing = (output: string) => {
    const have = receivedIds(output);
    return ids.filter((id) => !have.has(id)).length;
  };
  await consumer.until((output) => missing(output) === 0, `not all of ${ids.length} messages came`, timeoutMs);
}

const group = "please_rename_unique_group_name";

function operation(of: string, topic: string, failing: string): string[] {
  return ["-g", of, "-t", topic, "-s", "*", "-f", failing];
}

function to(topic: string): string[] {
  return ["-g", "operation", "-t", topic, "-a", "TagA", "-k", "K", "-c", topic === "TopicTest1" ? "20" : "200"];
}

async function tenSecondsLater(stage: Stage, consumer: ExampleProgram, name: string, count: number): Promise<void> {
  const producer = stage.program(name);
  const ids = sentIds(await producer.ended());
  assert.equal(ids.length, count, producer.output.slice(-1500));
  assert.equal(consumer.output, "", "nothing before its time");
  const came = (output: string) => [...output.matchAll(/Receive message\[msgId=([0-9A-F]+)/g)].map((match) => match[1]);
  await consumer.until((output) => came(output).length >= count, `not ${count} messages`);
  assert.deepEqual(came(consumer.output).sort(), ids.sort());
  const waited = consumer.firstOutputAt - producer.startedAt;
  assert.ok(waited >= 10_000 && waited < 60_000, `the first came ${waited} ms after its producer was started`);
}

/** All of these consume in one group, each from a topic of its own. */
const oneGroup: Example[] = [
  {
    name: "filter: TagFilterProducer, TagFilterConsumer",
    async run(stage) {
      await stage.topic("TagFilterTest");
      const consumer = await stage.consumer("filter.TagFilterConsumer", group);
      const ids = await produced(stage, "filter.TagFilterProducer", 60);
      const wanted = ids.filter((_, i) => i % 3 !== 1);
      await gets(consumer, wanted);
      assert.equal(receivedIds(consumer.output).size, 40);
    },
  },
  {
    name: "filter: SqlFilterProducer, SqlFilterConsumer",
    async run(stage) {
      await stage.topic("SqlFilterTest");
      const consumer = await stage.consumer("filter.SqlFilterConsumer", group);
      const ids = await produced(stage, "filter.SqlFilterProducer", 10);
      await gets(consumer, [0, 1, 3].map((i) => ids[i]));
      assert.equal(receivedIds(consumer.output).size, 3);
    },
  },
  {
    name: "rpc: ResponseConsumer, RequestProducer, AsyncRequestProducer",
    fixedAddress: true,
    async run(stage) {
      await stage.topic("RequestTopic");
      const consumer = await stage.consumer("rpc.ResponseConsumer", group);
      const answered =
        /request to <RequestTopic> cost: \d+ replyMessage: MessageExt .*topic='DefaultCluster_REPLY_TOPIC'/;
      await eventually(
        async () => answered.test(await stage.program("rpc.RequestProducer").ended()),
        "RequestProducer prints a reply",
        60_000,
      );
      const asking = stage.program("rpc.AsyncRequestProducer");
      await asking.until((output) => answered.test(output), "no reply");
      assert.match(consumer.output, /reply to \S+ , SendResult \[sendStatus=SEND_OK/);
    },
  },
];

const alone: Example[] = [
  {
    name: "quickstart, broadcast, ordermessage.Consumer, simple.PushConsumer, lite pull, PullScheduleService",
    async run(stage) {
      await stage.topic("TopicTest");
      const broadcast = [await stage.started("broadcast.PushConsumer"), await stage.started("broadcast.PushConsumer")];
      const ids = await produced(stage, "quickstart.Producer", 1000);
      await Promise.all([
        ...broadcast.map((each) => gets(each, ids)),
        gets(stage.program("simple.LitePullConsumerSubscribe"), ids),
      ]);
      await stage.end();
      await gets(await stage.started("quickstart.Consumer"), ids);
      await gets(await stage.started("simple.PushConsumer"), ids);
      await stage.end();
      // Every fifth call of its listener makes the queue wait for three seconds and comes again.
      const ordered = await stage.started("ordermessage.Consumer");
      const schedule = stage.program("simple.PullScheduleService");
      await ordered.until((output) => receivedIds(output).size >= 20, "no 20 messages");
      const found = (output: string) => output.split("pullStatus=FOUND").length - 1;
      await schedule.until((output) => found(output) >= 8, "not eight pulls that found messages");
    },
  },
  {
    name: "tracemessage: TraceProducer, TracePushConsumer, OpenTracing*",
    async run(stage) {
      await stage.topic("TopicTest");
      const ids = await produced(stage, "tracemessage.TraceProducer", 128);
      const consumer = await stage.started("tracemessage.TracePushConsumer");
      const open = await stage.started("tracemessage.OpenTracingPushConsumer");
      const [id] = await produced(stage, "tracemessage.OpenTracingProducer", 1);
      const transaction = stage.program("tracemessage.OpenTracingTransactionProducer");
      await transaction.until((output) => sentIds(output).length === 1, "no result");
      await gets(consumer, [...ids, id, ...sentIds(transaction.output)]);
      await gets(open, [...ids, id, ...sentIds(transaction.output)]);
      await eventually(async () => await stage.stored("RMQ_SYS_TRACE_TOPIC") >= 10, "traces are stored");
    },
  },
  {
    name: "simple: Producer, OnewayProducer, AsyncProducer, PullConsumer",
    fixedAddress: true,
    async run(stage) {
      await stage.topic("TopicTest");
      const pull = stage.program("simple.PullConsumer");
      await produced(stage, "simple.Producer", 128);
      const before = await stage.stored("TopicTest");
      await stage.program("simple.OnewayProducer").ended();
      // Other examples may have sent there meanwhile.
      assert.ok(await stage.stored("TopicTest") >= before + 100, "100 more are stored");
      const output = await stage.program("simple.AsyncProducer").ended();
      assert.equal(output.match(/^\d+ +OK [0-9A-F]+/gm)?.length, 100, output.slice(-1500));
      const committed = async () => {
        let sum = 0;
        for (let queueId = 0; queueId < 4; queueId++) {
          const fields = { consumerGroup: `${group}_5`, topic: "TopicTest", queueId: String(queueId) };
          const answer = await request(stage.servers.broker, 14, fields);
          if (answer.code === 0) sum += Number(answer.fields.offset);
        }
        return sum;
      };
      await eventually(
        async () => await committed() >= before + 100,
        "PullConsumer commits what was there",
        60_000,
      );
      await pull.kill();
    },
  },
  {
    name: "schedule: ScheduledMessageProducer, ScheduledMessageConsumer",
    async run(stage) {
      await stage.topic("TestTopic");
      const consumer = await stage.consumer("schedule.ScheduledMessageConsumer", "ExampleConsumer");
      await tenSecondsLater(stage, consumer, "schedule.ScheduledMessageProducer", 100);
    },
  },
  {
    name: "schedule: TimerMessageProducer, TimerMessageConsumer",
    async run(stage) {
      await stage.topic("TimerTopic");
      const consumer = await stage.consumer("schedule.TimerMessageConsumer", "TimerMessageConsumerGroup");
      await tenSecondsLater(stage, consumer, "schedule.TimerMessageProducer", 10);
    },
  },
  {
    name: "transaction: TransactionProducer",
    async run(stage) {
      await stage.topic("TopicTest1234");
      const consumer = await stage.consumer("operation.Consumer", "tx", ...operation("tx", "TopicTest1234", "false"));
      const producer = stage.program("transaction.TransactionProducer");
      await producer.until((output) => sentIds(output).length === 10, "not ten results");
      // It answers its checks by turns: unknown, commit, rollback.
      const ids = sentIds(producer.output);
      await gets(consumer, [1, 4, 7].map((i) => ids[i]), 90_000);
      assert.equal(receivedIds(consumer.output).size, 3);
    },
  },
  {
    name: "ordermessage.Producer, operation.Consumer that fails each second time",
    async run(stage) {
      await stage.topic("TopicTestjjj");
      const consumer = await stage.consumer("operation.Consumer", "half", ...operation("half", "TopicTestjjj", "true"));
      const producer = stage.program("ordermessage.Producer");
      const output = await producer.ended();
      const queues = [...output.matchAll(/SEND_OK.*queueId=(\d+)\]/g)].map((match) => Number(match[1]));
      assert.deepEqual(queues, Array.from({ length: 100 }, (_, i) => i % 10 % 4), "an order keeps its queue");
      await gets(consumer, sentIds(output));
      await consumer.until((text) => /reconsumeTimes=1/.test(text), "what failed comes again");
    },
  },
  {
    name: "batch: SimpleBatchProducer, SplitBatchProducer",
    async run(stage) {
      await stage.topic("BatchTest");
      const before = await stage.stored("BatchTest");
      const simple = stage.program("batch.SimpleBatchProducer");
      await simple.until(
        (output) => /sendStatus=SEND_OK, msgId=[0-9A-F]+,[0-9A-F]+,[0-9A-F]+/.test(output),
        "no result",
      );
      assert.equal(await stage.stored("BatchTest"), before + 3);
      const split = stage.program("batch.SplitBatchProducer");
      await split.until((output) => sentIds(output).length >= 5, "not five batches");
      await eventually(
        async () => await stage.stored("BatchTest") === before + 100_003,
        "100 003 messages are stored",
        60_000,
      );
    },
  },
  {
    name: "simple.LitePullConsumerAssign, LitePullConsumerAssignWithSubExpression",
    async run(stage) {
      for (const topic of ["TopicTest", "TopicTest1"]) await stage.topic(topic);
      const ids = await produced(stage, "operation.Producer", 200, ...to("TopicTest"));
      const more = await produced(stage, "operation.Producer", 20, ...to("TopicTest1"));
      const half = stage.program("simple.LitePullConsumerAssign");
      await half.until((output) => receivedIds(output).size >= 20, "no 20 messages");
      const tagged = stage.program("simple.LitePullConsumerAssignWithSubExpression");
      await tagged.until((output) => receivedIds(output).size >= 50, "no 50 messages");
      const got = receivedIds(tagged.output);
      assert.ok([...ids, ...more].some((id) => got.has(id)));
    },
  },
  {
    name: "namespace: ProducerWithNamespace, PushConsumerWithNamespace, PullConsumerWithNamespace",
    fixedAddress: true,
    async run(stage) {
      await stage.topic("NAMESPACE_TOPIC");
      const output = await stage.program("namespace.ProducerWithNamespace").ended();
      const ids = [...output.matchAll(/send success, misId is:([0-9A-F]+)/g)].map((match) => match[1]);
      assert.equal(ids.length, 100, output.slice(-1500));
      const pull = stage.program("namespace.PullConsumerWithNamespace");
      await pull.until((text) => [...text.matchAll(/msgId is:[0-9A-F]+/g)].length > 0, "no messages");
    },
  },
  {
    name: "openmessaging: SimpleProducer, SimplePushConsumer, SimplePullConsumer",
    fixedAddress: true,
    async run(stage) {
      await stage.topic("OMS_HELLO_TOPIC");
      const push = stage.program("openmessaging.SimplePushConsumer");
      await push.until((output) => output.includes("Consumer startup OK"), "not started");
      const output = await stage.program("openmessaging.SimpleProducer").ended();
      assert.equal(output.match(/Send async message OK, msgId: /g)?.length, 2, output.slice(-1500));
      await push.until((text) => (text.match(/Received one message: /g)?.length ?? 0) >= 3, "not three messages");
    },
  },
];

/** Chains run side by side, and begin in this order. */
export const exampleChains: Example[][] = [oneGroup, ...alone.map((example) => [example])];
