/**
 * A well-behaved client in a process of its own, so that thousands of sockets of the attackers don't slow it down:
 * sends one message after another to the address that it is given. Twenty times a second it prints what
 * happened since the last time, as a line of JSON, until it is killed.
 *
 *   deno run -A tests/hostile/good_client.ts 127.0.0.1:10911
 */
import { RequestCode, ResponseCode } from "@rmq/protocol";
import { quietClient } from "../messaging/wire.ts";

/** What a good client met with since it said so last. */
export interface GoodReport {
  readonly sends: number;
  readonly errors: string[];
  /** Slowest send, milliseconds. */
  readonly slowestMs: number;
  /** How much too late a timer of the client itself was at worst, milliseconds: slow sends may be its own fault. */
  readonly ownLagMs: number;
}

const LAG_EVERY_MS = 5;
const REPORT_EVERY_MS = 50;

async function main(address: string): Promise<void> {
  let now = { sends: 0, errors: [] as string[], slowestMs: 0, ownLagMs: 0 };
  setInterval(() => {
    console.log(JSON.stringify(now satisfies GoodReport));
    now = { sends: 0, errors: [], slowestMs: 0, ownLagMs: 0 };
  }, REPORT_EVERY_MS);
  let ticked = performance.now();
  setInterval(() => {
    now.ownLagMs = Math.max(now.ownLagMs, performance.now() - ticked - LAG_EVERY_MS);
    ticked = performance.now();
  }, LAG_EVERY_MS);
  const client = quietClient();
  for (let n = 0;; n++) {
    const started = performance.now();
    try {
      const answer = await client.request(address, request(n), 10_000);
      if (answer.code !== ResponseCode.SUCCESS) now.errors.push(`send ${n}: ${answer.code} ${answer.remark}`);
    } catch (error) {
      now.errors.push(`send ${n}: ${error}`);
    }
    now.slowestMs = Math.max(now.slowestMs, performance.now() - started);
    now.sends++;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function request(n: number) {
  const fields = {
    a: "good",
    b: "GoodT",
    c: "TBW102",
    d: 4,
    e: n % 4,
    f: 0,
    g: Date.now(),
    h: 0,
    i: "",
    j: 0,
    k: false,
  };
  return { code: RequestCode.SEND_MESSAGE_V2, fields, body: new Uint8Array(1024) };
}

if (import.meta.main) await main(process.argv[2]!);
