import type { Logger, Platform } from "@rmq/platform";
import type { LogFormat } from "./console_log.ts";
import { APACHE_VERSION, VERSION } from "./version.ts";

/** Says what was started: plain lines on standard output, or records of a JSON log. */
export class Announcer {
  /** For one process. */
  constructor(
    private readonly platform: Platform,
    private readonly logger: Logger,
    private readonly format: LogFormat,
  ) {}

  /** The name and version, and what was started, as label and text. */
  started(command: string, facts: readonly (readonly [label: string, text: string])[]): void {
    const title = `rmq ${VERSION} ${command} (compatible with Apache RocketMQ ${APACHE_VERSION})`;
    if (this.format === "json") return this.logger.info(title, Object.fromEntries(facts));
    const width = Math.max(...facts.map(([label]) => label.length));
    this.line([title, ...facts.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)].join("\n"));
  }

  /** One line, for scripts that wait for it. */
  line(text: string): void {
    if (this.format === "json") this.logger.info(text);
    else this.platform.process.write("out", `${text}\n`);
  }
}

/** Apache's words when a name server is up. */
export function namesrvBoot(bindAddress: string, port: number): string {
  return `The Name Server boot success. serializeType=JSON, address ${bindAddress}:${port}`;
}

/** Apache's words when a broker is up. */
export function brokerBoot(brokerName: string, address: string, namesrvAddr: string): string {
  const registered = namesrvAddr === "" ? "" : ` and name server is ${namesrvAddr}`;
  return `The broker[${brokerName}, ${address}] boot success. serializeType=JSON${registered}`;
}

/** What an acknowledgement means, by `flushDiskType`. */
export function durability(flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH", memory: boolean): string {
  if (memory) return "in memory only: nothing is left after the end";
  return flushDiskType === "SYNC_FLUSH"
    ? "an acknowledged message is on disk (SYNC_FLUSH)"
    : "an acknowledged message survives a crash of this process, not a power cut (ASYNC_FLUSH)";
}
