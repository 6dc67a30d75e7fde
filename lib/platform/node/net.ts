import { lookup } from "node:dns";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { ConnectionBudget } from "../connection_budget.ts";
import { platformError } from "../errors.ts";
import type { Net } from "../types.ts";
import { connect } from "./connect.ts";
import { nodeListen } from "./listen.ts";
import { startTls } from "./start_tls.ts";

/** The machine's network, through `node:net` and `node:tls`. */
export function hostNet(budget: ConnectionBudget): Net {
  return { listen: nodeListen(budget), connect, startTls, resolve, interfaces };
}

function resolve(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return Promise.resolve([host]);
  return new Promise((fulfil, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error) reject(platformError(error));
      else fulfil(found.map((each) => each.address));
    });
  });
}

function interfaces(): ReturnType<Net["interfaces"]> {
  const all: ReturnType<Net["interfaces"]> = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address, family, internal } of addresses ?? []) {
      all.push({ name, address, family: family === "IPv6" ? 6 : 4, loopback: internal });
    }
  }
  return all;
}
