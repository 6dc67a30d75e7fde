import type { ConnectionBudget } from "../connection_budget.ts";
import { hostNet } from "../node/net.ts";
import type { Net } from "../types.ts";
import { bunConnect } from "./connect.ts";
import { bunListen } from "./listen.ts";
import { bunStartTls } from "./start_tls.ts";

/** The machine's network: Bun's own sockets, and `node:tls` for TLS clients. */
export function bunNet(budget: ConnectionBudget): Net {
  const net = hostNet(budget);
  return { ...net, listen: bunListen(budget), connect: bunConnect(net.connect), startTls: bunStartTls };
}
