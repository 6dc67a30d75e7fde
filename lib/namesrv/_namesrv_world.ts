import type { Logger, Platform } from "@rmq/platform";
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { type JsonObject, parseJson, RequestCode } from "@rmq/protocol";
import { createClient, type Handlers, type PeerRequest, type RemotingClient, type Response } from "@rmq/remoting";
import { type Namesrv, type NamesrvSettings, startNamesrv } from "./mod.ts";

const quiet: Logger = { info: () => {}, warn: () => {}, error: () => {} };

/** A topic of a registration, by name. */
export type Topics = Record<string, { perm?: number; queues?: number; topicSysFlag?: number }>;

/** How a test registers a broker. */
export interface BrokerSpec {
  readonly name?: string;
  readonly id?: number;
  readonly cluster?: string;
  readonly addr?: string;
  readonly topics?: Topics;
  readonly version?: { counter: number; stateVersion: number; timestamp: number };
  readonly fields?: Record<string, string | number | boolean>;
}

/** A name server in a simulated world, with as many clients as a test opens. */
export class NamesrvWorld {
  readonly simulation: Simulation;
  readonly port = 9876;
  namesrv!: Namesrv;
  platform: Platform;

  constructor(seed = 1) {
    this.simulation = simulation({ seed });
    this.platform = this.simulation.platform;
  }

  static async start(settings: Partial<NamesrvSettings> = {}): Promise<NamesrvWorld> {
    const world = new NamesrvWorld();
    await world.start(settings);
    return world;
  }

  async start(settings: Partial<NamesrvSettings> = {}): Promise<void> {
    const given = { listenPort: this.port, kvConfigPath: null, ...settings };
    this.namesrv = await this.simulation.finish(startNamesrv(this.platform, given, quiet));
  }

  /** A peer with a connection of its own, on this machine or another. */
  client(platform: Platform = this.platform, handlers?: Handlers): Peer {
    const options = handlers === undefined ? {} : { handlers };
    return new Peer(this, createClient(platform, options, quiet), `${this.host(platform)}:${this.port}`);
  }

  private host(platform: Platform): string {
    return platform === this.platform ? "127.0.0.1" : this.simulation.machine.host;
  }
}

/** A client of the name server. */
export class Peer {
  readonly #world: NamesrvWorld;
  readonly #client: RemotingClient;
  readonly #address: string;

  constructor(world: NamesrvWorld, client: RemotingClient, address: string) {
    this.#world = world;
    this.#client = client;
    this.#address = address;
  }

  ask(request: PeerRequest): Promise<Response> {
    return this.#world.simulation.finish(this.#client.request(this.#address, request, 600_000));
  }

  /** Begins a request without waiting for it. */
  begin(request: PeerRequest): Promise<Response> {
    return this.#client.request(this.#address, request, 600_000);
  }

  register(spec: BrokerSpec = {}): Promise<Response> {
    return this.ask(registration(spec));
  }

  /** The route of a topic as an object, or null when there is none. */
  async route(topic: string, version = 513): Promise<JsonObject | null> {
    const response = await this.ask({ code: RequestCode.GET_ROUTEINFO_BY_TOPIC, fields: { topic }, version });
    return response.code === 17 ? null : jsonOf(response);
  }

  async topicList(code: number, fields: Record<string, string> = {}): Promise<string[]> {
    const list = jsonOf(await this.ask({ code, fields }))["topicList"] as string[];
    return list.sort();
  }

  /** Closes the connection and lets the name server notice. */
  async leave(): Promise<void> {
    this.#client.close();
    await this.#world.simulation.settle();
  }
}

/** A registration of a broker with two topics unless told otherwise. */
export function registration(spec: BrokerSpec = {}): PeerRequest {
  const { name = "broker-a", id = 0, cluster = "DefaultCluster", addr = "10.0.0.9:10911" } = spec;
  return {
    code: RequestCode.REGISTER_BROKER,
    fields: {
      brokerName: name,
      brokerAddr: addr,
      clusterName: cluster,
      haServerAddr: addr.replace(/\d$/, "2"),
      brokerId: id,
      ...spec.fields,
    },
    body: registrationBody(spec),
  };
}

export function registrationBody(spec: BrokerSpec): Uint8Array {
  const { topics = { T1: {}, T2: {} }, version = { counter: 1, stateVersion: 0, timestamp: 1_700_000_000_000 } } = spec;
  const table = Object.entries(topics).map(([topicName, { perm = 6, queues = 4, topicSysFlag = 0 }]) => {
    return [topicName, { topicName, perm, readQueueNums: queues, writeQueueNums: queues, topicSysFlag }];
  });
  const topicConfigTable = Object.fromEntries(table);
  const body = { filterServerList: [], topicConfigSerializeWrapper: { dataVersion: version, topicConfigTable } };
  return new TextEncoder().encode(JSON.stringify(body));
}

export function textOf(response: Response): string {
  return response.body === null ? "" : new TextDecoder().decode(response.body);
}

export function jsonOf(response: Response): JsonObject {
  return parseJson(textOf(response)) as JsonObject;
}
