/** Name servers and brokers of the client's tests, on simulated machines: they say what a test tells them to. */
import type { Platform } from "@rmq/platform";
import { type Machine, type Simulation, simulation } from "@rmq/platform/simulated";
import { type Answer, Fields, type Header, RequestCode, toJson } from "@rmq/protocol";
import { type Handler, type RemotingConnection, type RemotingServer, startServer } from "@rmq/remoting";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./options.ts";
import type { RocketMQ } from "./rocketmq.ts";

const PORT = 10911;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Keeps what the client says. */
export class KeptLog {
  readonly lines: string[] = [];
  readonly info = (line: string): void => void this.lines.push(line);
  readonly warn = (line: string): void => void this.lines.push(line);
  readonly error = (line: string): void => void this.lines.push(line);
}

/** A broker that answers sends as told, and keeps what it hears. */
export class FakeBroker {
  readonly machine: Machine;
  readonly bodies: string[] = [];
  /** Bodies of heartbeats. */
  readonly heartbeats: string[] = [];
  readonly unregistered: (string | null)[] = [];
  connections: RemotingConnection[] = [];
  /** Response code of sends; null: no answer. */
  code: number | null = 0;
  knowsFingerprints = false;
  subscriptionsChanged = false;
  readonly name: string;
  #server: RemotingServer | null = null;
  #offset = 0;

  constructor(world: Simulation, name: string) {
    this.name = name;
    this.machine = world.addMachine(name);
  }

  get address(): string {
    return `${this.machine.host}:${PORT}`;
  }

  async start(): Promise<void> {
    const handlers = new Map<number, Handler>([
      [RequestCode.SEND_MESSAGE_V2, (header, connection) => this.#sent(header, connection)],
      [RequestCode.SEND_BATCH_MESSAGE, (header, connection) => this.#sent(header, connection)],
      [RequestCode.HEART_BEAT, (header, connection) => this.#heard(header, connection)],
      [RequestCode.UNREGISTER_CLIENT, (header, connection) => {
        this.unregistered.push(header.ext("producerGroup") ?? header.ext("consumerGroup"));
        connection.answer(header.opaque, { code: 0 });
      }],
    ]);
    const options = {
      host: this.machine.host,
      port: PORT,
      handlers,
      connected: (connection: RemotingConnection) => void this.connections.push(connection),
    };
    this.#server = await startServer(this.machine.platform, options, new KeptLog());
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.connections = [];
  }

  #sent(header: Header, connection: RemotingConnection): void {
    if (this.code === null) return;
    if (this.code === 0) this.bodies.push(decoder.decode(header.bytes.subarray(header.bodyStart, header.bodyEnd)));
    if (header.isOneway) return;
    const queueId = header.int(Fields.SEND_MESSAGE_V2.e, -1);
    const answer: Answer = this.code !== 0
      ? { code: this.code, remark: "as told", fields: {} }
      : { code: 0, fields: { msgId: "7F00000100002A9F0000000000000400", queueId, queueOffset: this.#offset++ } };
    connection.answer(header.opaque, answer);
  }

  #heard(header: Header, connection: RemotingConnection): void {
    this.heartbeats.push(decoder.decode(header.bytes.subarray(header.bodyStart, header.bodyEnd)));
    const fields = { IS_SUPPORT_HEART_BEAT_V2: this.knowsFingerprints, IS_SUB_CHANGE: this.subscriptionsChanged };
    connection.answer(header.opaque, { code: 0, fields });
    this.subscriptionsChanged = false;
  }
}

/** A world with name servers and brokers, in which every broker has every topic. */
export class FakeCluster {
  readonly world: Simulation;
  readonly log: KeptLog = new KeptLog();
  readonly brokers: FakeBroker[];
  readonly nameServers: { readonly machine: Machine; server: RemotingServer | null; asked: number }[] = [];
  /** Topics that there are. */
  readonly topics: Set<string> = new Set(["T", "TBW102"]);
  /** Brokers that routes name. */
  routed: FakeBroker[];
  readonly client: Machine;

  private constructor(world: Simulation, brokers: number) {
    this.world = world;
    this.brokers = Array.from({ length: brokers }, (_, i) => new FakeBroker(world, `broker-${"abc"[i]}`));
    this.routed = [...this.brokers];
    this.client = world.addMachine("client");
  }

  static async start(options: { seed?: number; brokers?: number; nameServers?: number } = {}): Promise<FakeCluster> {
    const { seed = 1, brokers = 1, nameServers = 1 } = options;
    const cluster = new FakeCluster(simulation({ seed }), brokers);
    for (let i = 0; i < nameServers; i++) {
      cluster.nameServers.push({ machine: cluster.world.addMachine(`namesrv-${i}`), server: null, asked: 0 });
      await cluster.startNameServer(i);
    }
    for (const broker of cluster.brokers) await cluster.world.finish(broker.start());
    return cluster;
  }

  get platform(): Platform {
    return this.client.platform;
  }

  get addresses(): string[] {
    return this.nameServers.map(({ machine }) => `${machine.host}:9876`);
  }

  async startNameServer(index: number): Promise<void> {
    const nameServer = this.nameServers[index];
    const route: Handler = (header, connection) => {
      nameServer.asked++;
      const topic = header.ext("topic") ?? "";
      if (this.topics.has(topic)) connection.answer(header.opaque, { code: 0, body: this.#route() });
      else connection.answer(header.opaque, { code: 17, remark: "No topic route info" });
    };
    const handlers = new Map<number, Handler>([[RequestCode.GET_ROUTEINFO_BY_TOPIC, route]]);
    const options = { host: nameServer.machine.host, port: 9876, handlers };
    nameServer.server = await this.world.finish(startServer(nameServer.machine.platform, options, new KeptLog()));
  }

  async stopNameServer(index: number): Promise<void> {
    await this.world.finish(this.nameServers[index].server?.close() ?? Promise.resolve());
  }

  connect(options: ConnectOptions = {}): Promise<RocketMQ> {
    return this.world.finish(connect(this.addresses, { platform: this.platform, logger: this.log, ...options }));
  }

  /** Nothing gets from the client to a machine any more, nor back. */
  cutOff(machine: Machine): void {
    this.world.net.partition(this.client.host, machine.host);
  }

  /** Two queues on each broker. */
  #route(): Uint8Array {
    const queues = { perm: 6, readQueueNums: 2, writeQueueNums: 2, topicSysFlag: 0 };
    return encoder.encode(toJson({
      brokerDatas: this.routed.map(({ name, address }) => ({
        brokerAddrs: { "0": address },
        brokerName: name,
        cluster: "C",
      })),
      queueDatas: this.routed.map(({ name }) => ({ brokerName: name, ...queues })),
    }));
  }
}
