import { hostPlatform, type Logger } from "@rmq/platform";
import { formatAddress, parseAddress } from "@rmq/remoting";
import { RequestCode, ResponseCode } from "@rmq/protocol";
import { asClientError, ClientError } from "./client_error.ts";
import { buildClientId } from "./client_id.ts";
import { DEFAULT_TOPIC } from "./network/route_table.ts";
import { RemotingNetwork } from "./network/remoting_network.ts";
import { type ConnectOptions, resolveOptions } from "./options.ts";
import { RocketMQ } from "./rocketmq.ts";

const DEFAULT_PORT = 9876;
const SILENT: Logger = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * Connects to a cluster by its name servers: `"host:9876"`, `"host:9876;host2:9876"`, `"rmq://host:9876,host2:9876"`,
 * or a list. Resolves when one of them has answered. Rejects with ClientError `NAMESRV_UNREACHABLE`, `BAD_ARGUMENT`,
 * `NO_PERMISSION`, `ABORTED`.
 *
 * ```ts
 * import { connect } from "@rmq/client";
 *
 * async function main() {
 *   await using mq = await connect("localhost:9876");
 *   const { messageId } = await mq.send("orders", { id: 7 }, { tag: "paid" });
 *   console.log(messageId);
 * }
 * ```
 */
export async function connect(address: string | readonly string[], options: ConnectOptions = {}): Promise<RocketMQ> {
  const resolved = resolveOptions(parseNameServers(address), options);
  const platform = options.platform ?? hostPlatform();
  const clientId = options.clientId ?? buildClientId(platform, options.instanceName, resolved.unitName);
  const network = new RemotingNetwork(platform, clientId, resolved, options.logger ?? SILENT);
  try {
    await greet(network, options.signal);
  } catch (error) {
    await network.close();
    throw error;
  }
  return new RocketMQ(network);
}

/** Any answer shows that a name server is there; a refusal of who we are is passed on. */
async function greet(network: RemotingNetwork, signal: AbortSignal | undefined): Promise<void> {
  const fields = { topic: DEFAULT_TOPIC, acceptStandardJsonOnly: true };
  const request = { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, fields };
  const { code, remark } = await network.askNameServer(request, signal === undefined ? {} : { signal });
  if (code === ResponseCode.NO_PERMISSION) {
    throw new ClientError("NO_PERMISSION", `the name server refuses: ${remark ?? ""}`, {
      responseCode: code,
      ...(remark === null ? {} : { remark }),
    });
  }
}

/** `host:port` of each name server. Throws ClientError `BAD_ARGUMENT`. */
export function parseNameServers(address: string | readonly string[]): string[] {
  const texts = typeof address === "string" ? [address] : address;
  const all = texts.flatMap((text) => text.replace(/^rmq:\/\//, "").replace(/\/$/, "").split(/[;,]/));
  const given = all.map((each) => each.trim()).filter((each) => each !== "");
  if (given.length === 0) throw new ClientError("BAD_ARGUMENT", "no address of a name server");
  return [...new Set(given.map(withPort))];
}

function withPort(text: string): string {
  const complete = /:\d+$/.test(text) ? text : `${text}:${DEFAULT_PORT}`;
  try {
    return formatAddress(parseAddress(complete));
  } catch (error) {
    throw asClientError(error);
  }
}
