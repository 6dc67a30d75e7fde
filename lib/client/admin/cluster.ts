import { type JsonObject, type JsonValue, parseJson, RequestCode } from "@rmq/protocol";
import type { PeerRequest, Response } from "@rmq/remoting";
import { ClientError, expectSuccess } from "../client_error.ts";
import type { RemotingNetwork } from "../network/remoting_network.ts";

/** One broker group of a cluster. */
export interface BrokerGroup {
  /** Its name. */
  readonly brokerName: string;
  /** The cluster that it is in. */
  readonly cluster: string;
  /** `ip:port` by broker id; 0 is the master. */
  readonly addresses: ReadonlyMap<number, string>;
}

/** Broker groups as the name servers know them, and requests to their masters. */
export class Cluster {
  readonly network: RemotingNetwork;

  constructor(network: RemotingNetwork) {
    this.network = network;
  }

  /** All broker groups (106), by name. */
  async brokers(): Promise<BrokerGroup[]> {
    const response = await this.network.askNameServer({ code: RequestCode.GET_BROKER_CLUSTER_INFO });
    const table = objectOf(bodyOf("the list of brokers", response).brokerAddrTable);
    return Object.values(table).map(objectOf).map((each) => ({
      brokerName: String(each.brokerName),
      cluster: String(each.cluster ?? ""),
      addresses: new Map(
        Object.entries(objectOf(each.brokerAddrs)).map(([id, address]) => [Number(id), String(address)]),
      ),
    })).sort((a, b) => a.brokerName < b.brokerName ? -1 : 1);
  }

  /** Masters, of one cluster or of all. Rejects with ClientError `NOT_FOUND` when there is none. */
  async masters(cluster?: string): Promise<{ brokerName: string; address: string }[]> {
    const all = (await this.brokers()).filter((each) => cluster === undefined || each.cluster === cluster);
    const masters = all.flatMap(({ brokerName, addresses }) => {
      const address = addresses.get(0);
      return address === undefined ? [] : [{ brokerName, address }];
    });
    if (masters.length > 0) return masters;
    throw new ClientError("NOT_FOUND", cluster === undefined ? "no broker" : `no broker of cluster ${cluster}`);
  }

  /** Masters that have a topic. Rejects with ClientError `TOPIC_NOT_FOUND`. `topic` with the namespace. */
  async mastersOf(topic: string): Promise<{ brokerName: string; address: string }[]> {
    const route = await this.network.routes.route(topic);
    return [...route.brokers.values()].flatMap(({ brokerName, addresses }) => {
      const address = addresses.get(0);
      return address === undefined ? [] : [{ brokerName, address }];
    });
  }

  /** One request that must succeed. */
  async ask(what: string, address: string, request: PeerRequest): Promise<Response> {
    return expectSuccess(what, await this.network.invoke(address, request));
  }
}

/** The JSON object of a successful answer. Throws ClientError. */
export function bodyOf(what: string, response: Response): JsonObject {
  expectSuccess(what, response);
  try {
    return objectOf(parseJson(response.body ?? new Uint8Array()));
  } catch (cause) {
    throw new ClientError("BAD_ANSWER", `the answer to ${what} is no JSON object`, { cause });
  }
}

/** A JSON object; empty for anything else. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
