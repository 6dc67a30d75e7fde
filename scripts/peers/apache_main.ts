/** Starts an Apache name server and broker and keeps them until Ctrl-C: `deno run -A scripts/peers/apache_main.ts [DIR]`. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apacheAvailable, startApacheBroker, startApacheNamesrv } from "./apache.ts";

const available = apacheAvailable();
if (!available.ok) {
  console.error(`cannot start Apache RocketMQ: ${available.reason}`);
  process.exit(2);
}
const directory = process.argv[2] ?? mkdtempSync(join(tmpdir(), "apache-rocketmq-"));
const namesrv = await startApacheNamesrv({ directory });
const broker = await startApacheBroker({ directory, namesrv: namesrv.address, config: {} });
console.log(`name server ${namesrv.address} (pid ${namesrv.pid}, ${Math.round(namesrv.readyMs)} ms)`);
console.log(`broker ${broker.address} (pid ${broker.pid}, ${Math.round(broker.readyMs)} ms), files in ${directory}`);
setInterval(() => {}, 1 << 30);
