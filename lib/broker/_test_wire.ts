/** A whole broker on a simulated network, and clients that talk to it over connections. */
import { type Simulation, simulation } from "@rmq/platform/simulated";
import { createClient, type Handlers, type PeerRequest, type RemotingClient, type Response } from "@rmq/remoting";
import { defaultStoreOptions } from "@rmq/store";
import { KeptLog, settings as usual } from "./_test_broker.ts";
import { type ReadMessage, readQueue } from "./_test_read.ts";
import { type Broker, startBroker } from "./broker.ts";
import type { BrokerSettings } from "./settings.ts";

const PORT = 10911;
const encoder = new TextEncoder();

/** A broker that listens. */
export class WireBroker {
  private constructor(readonly world: Simulation, readonly broker: Broker) {}

  static async start(
    changes: Partial<BrokerSettings> = {},
    world: Simulation = simulation({ seed: 1 }),
  ): Promise<WireBroker> {
    const broker = { ...usual, listenPort: PORT, bindAddress: "0.0.0.0", namesrvAddr: "", ...changes };
    const store = { ...defaultStoreOptions(usual.storePathRootDir), segmentBytes: 16 * 1024 * 1024 };
    const started = await world.finish(startBroker(world.platform, { broker, store }, new KeptLog()));
    return new WireBroker(world, started);
  }

  /** A client on a machine of its own, which serves the broker's requests with `handlers`. */
  client(name: string, handlers?: Handlers): WireClient {
    const { platform } = this.world.addMachine(name);
    return new WireClient(this, createClient(platform, { handlers }, new KeptLog()));
  }

  /** All visible messages of a queue. */
  read(topic: string, queueId: number): Promise<ReadMessage[]> {
    return readQueue(this.world, this.broker.state.store, topic, queueId);
  }

  get address(): string {
    return `${this.world.machine.host}:${PORT}`;
  }

  stop(): Promise<void> {
    return this.world.finish(this.broker.stop());
  }
}

/** One client of a {@link WireBroker}. */
export class WireClient {
  constructor(private readonly wire: WireBroker, readonly remoting: RemotingClient) {}

  /** Sends a request and turns the clock until its answer is there. */
  ask(code: number, fields: PeerRequest["fields"], body: string | Uint8Array = ""): Promise<Response> {
    return this.wire.world.finish(this.begin(code, fields, body));
  }

  /** Sends a request; the clock is for the test to turn. */
  begin(code: number, fields: PeerRequest["fields"], body: string | Uint8Array = ""): Promise<Response> {
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    return this.remoting.request(this.wire.address, { code, fields, body: bytes }, 1_000_000);
  }

  /** Sends a message with 310; `more` are header fields by letter. */
  send(topic: string, body: string, properties = "", more: Record<string, string | number> = {}): Promise<Response> {
    const fields = { a: "PG", b: topic, c: "TBW102", d: 4, e: 0, f: 0, g: 1, h: 0, i: properties, j: 0, k: "false" };
    return this.ask(310, { ...fields, ...more }, body);
  }

  close(): void {
    this.remoting.close();
  }
}
