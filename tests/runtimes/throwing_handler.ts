/** Throws in a connection's handler, which must end the process; started by `uncaught_test.ts`. */
import process from "node:process";
import { hostPlatform } from "@rmq/platform";

const { net } = hostPlatform();
const listener = await net.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
  connection.handler = {
    data: () => {
      throw new Error("a bug in a handler");
    },
    close: () => process.exit(0),
  };
}, () => {});
const client = await net.connect({ ...listener.address, timeoutMs: 5000 });
client.handler = { data: () => {}, close: () => {} };
client.write(new Uint8Array(1));
