import { brokerOptions, startBroker } from "@rmq/broker";
import { resolve } from "@rmq/config";
import { namesrvSettings, startNamesrv } from "@rmq/namesrv";
import { hostPlatform, type Logger, memoryFiles, type Platform } from "@rmq/platform";
import { type RequestRow, requestTable, type ServedBy } from "@rmq/protocol";
import { createClient, type RemotingClient, RemotingError } from "@rmq/remoting";

const START = "<!-- codes:start -->";
const END = "<!-- codes:end -->";
const NOT_SUPPORTED = 3;
// A request that is parked gets no answer for longer than this, and is served.
const PATIENCE_MS = 1500;

const quiet: Logger = { info() {}, warn() {}, error() {} };

/** The page with its table of requests replaced by what a name server and a broker of this tree answer. */
export async function withCodes(page: string): Promise<string> {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page has no ${START} … ${END}`);
  const table = `<!-- deno-fmt-ignore-start -->\n${await codesTable()}<!-- deno-fmt-ignore-end -->`;
  return `${page.slice(0, start + START.length)}\n\n${table}\n\n${page.slice(end)}`;
}

async function codesTable(): Promise<string> {
  const host = hostPlatform();
  const platform = { ...host, files: memoryFiles(host.clock) };
  const [namesrvPort, brokerPort] = [await freePort(platform), await freePort(platform)];
  const machine = { home: "/memory", host: "broker-a", address: "127.0.0.1" };
  const bound = { machine, variables: {}, defaults: { bindAddress: "127.0.0.1" } };
  const { settings: ofNamesrv } = resolve("namesrv", { ...bound, flags: { listenPort: String(namesrvPort) } });
  const flags = {
    listenPort: String(brokerPort),
    namesrvAddr: `127.0.0.1:${namesrvPort}`,
    mappedFileSizeCommitLog: "1048576",
  };
  const { settings: ofBroker } = resolve("broker", { ...bound, flags });
  const namesrv = await startNamesrv(platform, namesrvSettings(ofNamesrv), quiet);
  const broker = await startBroker(
    platform,
    brokerOptions(ofBroker, platform.process),
    quiet,
  );
  const client = createClient(platform, {}, quiet);
  const asked: Partial<Record<ServedBy, string>> = {
    broker: `127.0.0.1:${brokerPort}`,
    namesrv: `127.0.0.1:${namesrvPort}`,
  };
  const rows = [...requestTable.values()].sort((a, b) => a.code - b.code);
  const lines = await Promise.all(rows.map((row) => line(client, row, asked)));
  client.close();
  await broker.stop();
  await namesrv.close();
  return ["| code | name | Apache 5.5 serves it on | here |", "|---|---|---|---|", ...lines.flat()].join("\n") + "\n";
}

async function line(
  client: RemotingClient,
  row: RequestRow,
  asked: Partial<Record<ServedBy, string>>,
): Promise<string[]> {
  const lines: string[] = [];
  for (const server of row.servedBy) {
    const address = asked[server];
    if (address === undefined) continue;
    const here = await served(client, address, row.code) ? "yes" : "not yet: answer 3";
    lines.push(`| ${row.code} | ${row.name} | ${server === "namesrv" ? "name server" : server} | ${here} |`);
  }
  return lines;
}

async function served(client: RemotingClient, address: string, code: number): Promise<boolean> {
  try {
    return (await client.request(address, { code, fields: {} }, PATIENCE_MS)).code !== NOT_SUPPORTED;
  } catch (error) {
    if (error instanceof RemotingError && error.code === "TIMEOUT") return true;
    throw error;
  }
}

async function freePort(platform: Platform): Promise<number> {
  const listener = await platform.net.listen(
    { host: "127.0.0.1", port: 0 },
    (connection) => connection.destroy(),
    () => {},
  );
  listener.close();
  return listener.address.port;
}
