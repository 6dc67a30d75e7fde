/** A long send load on dist/rmq, with its resident memory watched. */
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { startRmqBroker, startRmqNamesrv } from "../../scripts/peers/rmq.ts";
import { startLoad } from "./run_load.ts";

export interface SoakOptions {
  seconds: number;
  /** Sends a second; as many as fit on the disk if absent. */
  rate?: number;
  flush: string;
  directory: string;
}

/** Bytes that a send of the load takes on disk, with room to spare. */
const STORED = 1400;
const KEEP_FREE = 10e9;

export async function soak(options: SoakOptions): Promise<void> {
  const directory = mkdtempSync(join(options.directory, "soak-rmq-"));
  const free = () => {
    const disk = statfsSync(directory);
    return disk.bavail * disk.bsize - KEEP_FREE;
  };
  const rate = options.rate ?? Math.floor(free() / STORED / options.seconds);
  if (!(rate > 0)) throw new Error(`no room for a soak in ${options.directory}`);
  const namesrv = await startRmqNamesrv({ directory });
  const config = { flushDiskType: options.flush };
  const broker = await startRmqBroker({ directory, namesrv: namesrv.address, config });
  console.log(`${options.flush}, at most ${rate} sends/s for ${options.seconds} s`);
  const load = startLoad(broker.address, { connections: 4, "in-flight": 64, warm: 0, seconds: options.seconds, rate });
  const started = performance.now();
  let most = 0;
  let samples = 0;
  const watch = setInterval(() => {
    const resident = broker.residentBytes();
    most = Math.max(most, resident);
    if (samples++ % 15 === 0) {
      const at = Math.round((performance.now() - started) / 1000);
      console.log(`${at} s: resident ${Math.round(resident / 1e6)} MB`);
    }
    if (free() < 0) {
      console.log("the disk is nearly full: stopped early");
      load.kill();
    }
  }, 1000);
  try {
    const result = await load.result;
    const resident = Math.round(broker.residentBytes() / 1e6);
    console.log(
      `${result.messagesPerSecond} messages/s over ${result.seconds} s, p50 ${result.p50Ms} p99 ${result.p99Ms} ` +
        `p99.9 ${result.p999Ms} max ${result.maxMs} ms; resident ${resident} MB at the end, ${
          Math.round(most / 1e6)
        } MB at most`,
    );
  } finally {
    clearInterval(watch);
    const stopMs = await broker.stop();
    await namesrv.stop();
    console.log(`stopped in ${Math.round(stopMs)} ms`);
    rmSync(directory, { recursive: true, force: true });
  }
}
