/** Helpers of the broker's tests: a broker without sockets on a simulated machine, asked by frames. */
import type { Logger } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import {
  type Answer,
  Header,
  MessageDraft,
  type OutgoingRequest,
  Output,
  SysFlag,
  writeAnswer,
  writeRequest,
} from "@rmq/protocol";
import {
  type Handler,
  type PeerRequest,
  type RemotingClient,
  type RemotingConnection,
  RemotingError,
  type Response,
} from "@rmq/remoting";
import { AppendStatus, ConfigFile, defaultStoreOptions, openStore, type Store, type StoreOptions } from "@rmq/store";
import { type ReadMessage, readQueue } from "./_test_read.ts";
import { ClientAsks } from "./clients/ask.ts";
import { ClientTable } from "./clients/client_table.ts";
import { consumerStatusHandlers } from "./clients/consumer_status.ts";
import { forwardHandlers } from "./clients/forward_handlers.ts";
import { heartbeatHandlers } from "./clients/heartbeat.ts";
import { lockHandlers } from "./clients/lock_handlers.ts";
import { onlineHandlers } from "./clients/online_handlers.ts";
import { QueueLocks } from "./clients/queue_locks.ts";
import { configHandlers } from "./config_handlers.ts";
import { DelayLevels } from "./delay/delay_levels.ts";
import { timerHandlers } from "./timers/timer_handlers.ts";
import { Timers } from "./timers/timers.ts";
import { StorePut } from "./delivery/put.ts";
import { queryHandlers } from "./delivery/queries.ts";
import { Rewriters } from "./delivery/rewriters.ts";
import { replyHandlers } from "./delivery/reply.ts";
import { sendBackHandlers } from "./delivery/send_back.ts";
import { FilterTable } from "./filters/filter_table.ts";
import { groupHandlers } from "./groups/group_handlers.ts";
import { whoConsumesHandlers } from "./groups/who_consumes.ts";
import { GroupTable } from "./groups/group_table.ts";
import { compareGroupsHandlers } from "./offsets/compare_groups.ts";
import { consumeTimeSpanHandlers } from "./offsets/consume_time_span.ts";
import { topicStatsHandlers } from "./topics/topic_stats.ts";
import { consumeStatsHandlers } from "./offsets/consume_stats.ts";
import { offsetHandlers } from "./offsets/offset_handlers.ts";
import { resetHandlers } from "./offsets/reset_handlers.ts";
import { OffsetTable } from "./offsets/offset_table.ts";
import { Registration } from "./registration.ts";
import type { BrokerSettings } from "./settings.ts";
import { settleConfig } from "./settled_config.ts";
import type { BrokerState } from "./state.ts";
import { ROOT, settings } from "./_test_settings.ts";
import { topicHandlers } from "./topics/topic_handlers.ts";
import { TopicTable } from "./topics/topic_table.ts";
import { beginsTransaction, halfRewriter } from "./transactions/half_message.ts";
import { TransactionCounts } from "./transactions/transaction_counts.ts";
import { Transactions } from "./transactions/transactions.ts";

export { ROOT, settings } from "./_test_settings.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A logger that keeps what it is told. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];
  info(message: string): void {
    this.lines.push(`info: ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn: ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error: ${message}`);
  }
  count(part: string): number {
    return this.lines.filter((line) => line.includes(part)).length;
  }
}

/** An answer as a test compares it. */
export interface Answered {
  readonly code: number;
  readonly remark: string | null;
  /** null: there were no extFields. */
  readonly fields: Record<string, string | null> | null;
  readonly body: string;
  readonly bytes: Uint8Array;
}

/** A client's end: keeps what the broker sends it, in order. */
export class Peer {
  readonly answers: Answered[] = [];
  /** One-way requests of the broker: code and fields; answers stand in between as their code 0. */
  readonly heard: string[] = [];
  readonly connection: RemotingConnection;
  version = 513;
  closed = false;
  /** Requests of the broker that want an answer. */
  readonly asked: PeerRequest[] = [];
  /** Answers those; a client that says nothing is gone. */
  reply: (request: PeerRequest) => Promise<Response> = () => {
    return Promise.reject(new RemotingError("CLOSED", "the client is gone", true));
  };

  constructor(readonly name: string) {
    const address = { host: "10.0.0.7", port: 40000 };
    const answer = (opaque: number, value: Answer) => this.#take(opaque, value);
    this.connection = {
      remote: address,
      local: address,
      peerText: "10.0.0.7:40000",
      answer,
      later: (header: Header) => {
        const { opaque, isOneway } = header;
        return {
          opaque,
          oneway: isOneway,
          connection: this.connection,
          answer: (value: Answer) => answer(opaque, value),
        };
      },
      oneway: (request: PeerRequest) => this.heard.push(`${request.code} ${JSON.stringify(request.fields)}`),
      request: (request: PeerRequest) => {
        this.asked.push(request);
        return this.reply(request);
      },
      bufferedBytes: 0,
      out: { length: 0 },
      close: () => this.closed = true,
    } as unknown as RemotingConnection;
  }

  /** Answers pass through the wire format, so that a test sees what a client would. */
  #take(opaque: number, value: Answer): void {
    const out = new Output();
    writeAnswer(out, opaque, value);
    const frame = out.take();
    const header = new Header();
    header.read(frame, 0, frame.length);
    const bytes = frame.slice(header.bodyStart, header.bodyEnd);
    this.heard.push(`answer ${header.code}`);
    this.answers.push({
      code: header.code,
      remark: header.remark(),
      fields: header.hasFields ? Object.fromEntries(header.extEntries()) : null,
      body: decoder.decode(bytes),
      bytes,
    });
  }
}

/** A broker's parts on a simulated machine. */
export class TestBroker {
  readonly log = new KeptLog();
  readonly peer = new Peer("client");
  #handlers = new Map<number, Handler>();

  private constructor(
    readonly world: Simulation,
    readonly state: BrokerState,
    readonly timers: Timers,
    private readonly parts: { close(done: () => void): void }[],
    handlers: [number, Handler][],
  ) {
    this.#handlers = new Map(handlers);
  }

  static async open(
    world: Simulation = simulation({ seed: 1 }),
    changes: Partial<BrokerSettings> = {},
    storeChanges: Partial<StoreOptions> = {},
  ): Promise<TestBroker> {
    const platform = world.platform;
    const { clock } = platform;
    const logger = new KeptLog();
    const own = { ...settings, ...changes };
    const file = (name: string) => new ConfigFile(platform, `${ROOT}/config/${name}`);
    const topics = new TopicTable({ clock, logger, settings: own, file: file("topics.json") });
    const groups = new GroupTable({ clock, logger, settings: own, file: file("subscriptionGroup.json") });
    const offsets = new OffsetTable({ clock, logger, settings: own, file: file("consumerOffset.json") });
    const filters = new FilterTable({ clock, logger, settings: own, file: file("consumerFilter.json") });
    topics.load();
    groups.load();
    filters.load();
    await world.finish(settleConfig(platform.files, own.storePathRootDir));
    const store: Store = await world.finish(openStore(platform, {
      ...defaultStoreOptions(ROOT),
      segmentBytes: 16 * 1024 * 1024,
      flushDiskType: own.flushDiskType,
      topicExists: (topic) => topics.get(topic) !== null,
      ...storeChanges,
    }, logger));
    topics.attach(store);
    offsets.load(store);
    const delay = new DelayLevels({ platform, logger, settings: own, store, topics, file: file("delayOffset.json") });
    const transactionCounts = new TransactionCounts({ clock, logger, settings: own, file: file("transactionMetrics") });
    const timers = new Timers({ platform, logger, settings: own, store, topics, metrics: file("timermetrics") });
    const rewriters = new Rewriters([halfRewriter(topics), timers.rewriter, delay.rewriter]);
    const put = new StorePut(store, rewriters);
    const client = {} as RemotingClient;
    const state: BrokerState = {
      platform,
      logger,
      settings: own,
      store,
      topics,
      groups,
      offsets,
      filters,
      clients: new ClientTable({ clock, logger, settings: own }),
      asks: new ClientAsks(own.maxClientAsks),
      locks: new QueueLocks(clock),
      put,
      transactionCounts,
      registration: new Registration({ platform, logger, settings: own, topics, client }, "127.0.0.1:10911"),
      storeHost: new Uint8Array([127, 0, 0, 1]),
      storePort: 10911,
      uniqueIds: () => "0".repeat(32),
      server: null,
      client,
    };
    const transactions = new Transactions(state);
    delay.start(put);
    transactions.start();
    timers.start(put);
    state.clients.start();
    state.clients.onGroupGone((group) => filters.unregister(group));
    const broker = new TestBroker(world, state, timers, [transactions, timers, delay], [
      ...topicHandlers(state),
      ...groupHandlers(state),
      ...offsetHandlers(state),
      ...resetHandlers(state),
      ...consumeStatsHandlers(state),
      ...consumeTimeSpanHandlers(state),
      ...compareGroupsHandlers(state),
      ...topicStatsHandlers(state),
      ...whoConsumesHandlers(state),
      ...heartbeatHandlers(state),
      ...onlineHandlers(state),
      ...forwardHandlers(state),
      ...consumerStatusHandlers(state),
      ...lockHandlers(state),
      ...queryHandlers(state),
      ...sendBackHandlers(state),
      ...replyHandlers(state),
      ...configHandlers(state),
      ...delay.handlers(),
      ...transactions.handlers(),
      ...timerHandlers(state, timers),
    ]);
    broker.log.lines.push(...logger.lines);
    return broker;
  }

  /** One request and its answer; a throw becomes code 1 as the server makes it. */
  async ask(
    code: number,
    fields: OutgoingRequest["fields"] = {},
    body: string | Uint8Array = "",
    peer: Peer = this.peer,
  ): Promise<Answered> {
    const before = peer.answers.length;
    this.hand(code, fields, body, peer);
    await this.world.settle();
    for (let i = 0; peer.answers.length === before && i < 200; i++) await this.world.advance(10);
    const answer = peer.answers[before];
    if (answer === undefined) throw new Error(`no answer to ${code}`);
    return answer;
  }

  /** Hands a request to its handler. */
  hand(code: number, fields: OutgoingRequest["fields"], body: string | Uint8Array, peer: Peer): void {
    const out = new Output();
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    writeRequest(out, { code, opaque: 7, fields, body: bytes, version: peer.version });
    this.handFrame(out.take(), peer);
  }

  handFrame(frame: Uint8Array, peer: Peer): void {
    const header = new Header();
    header.read(frame, 0, frame.length);
    const handler = this.#handlers.get(header.code);
    if (handler === undefined) throw new Error(`nobody serves ${header.code}`);
    try {
      handler(header, peer.connection);
    } catch (error) {
      peer.connection.answer(header.opaque, { code: 1, remark: String(error) });
    }
    // What a handler keeps beyond its call must be a copy.
    frame.fill(0xa5);
  }

  /** Stores a message as a client's send would, by way of the rewriters; resolves when it is visible. */
  send(topic: string, queueId: number, body: string, properties: Record<string, string> = {}): Promise<number> {
    const target = this.state.topics.get(topic) ?? this.state.topics.createOnSend(topic, "TBW102", 4, 0, "");
    if (target === null) throw new Error(`no topic ${topic}`);
    const draft = new MessageDraft();
    draft.body = encoder.encode(body);
    draft.bodyEnd = draft.body.length;
    const text = encoder.encode(Object.entries(properties).map(([name, value]) => `${name}\x01${value}\x02`).join(""));
    draft.properties.readText(text, 0, text.length);
    if (beginsTransaction(draft)) draft.sysFlag |= SysFlag.TRANSACTION_PREPARED;
    return this.world.finish(
      new Promise((resolve, reject) => {
        const put = () => {
          draft.bornTimestamp = this.state.platform.clock.nowMs();
          this.state.put.put(draft, target, queueId, true, (status, physicalOffset) => {
            if (status === AppendStatus.OK) resolve(physicalOffset);
            else reject(new Error(`status ${status}`));
          });
        };
        this.state.topics.whenDurable(target, put);
      }),
    );
  }

  /** All messages of a queue: body and properties. */
  read(topic: string, queueId: number): Promise<ReadMessage[]> {
    return readQueue(this.world, this.state.store, topic, queueId);
  }

  file(name: string): string {
    return decoder.decode(this.state.platform.files.readWhole(`${ROOT}/config/${name}`) ?? new Uint8Array());
  }

  /** Clean stop; the world goes on. */
  async close(): Promise<void> {
    const { state, parts, world } = this;
    state.clients.close();
    for (const part of [...parts, state.topics, state.groups, state.offsets, state.filters]) {
      await world.finish(new Promise<void>((resolve) => part.close(resolve)));
    }
    await world.finish(state.store.close());
  }
}
