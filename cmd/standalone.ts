import { memoryFiles, type Platform } from "@rmq/platform";
import { namesrvSettings, startNamesrv } from "@rmq/namesrv";
import { serverLimits, tlsSettings } from "@rmq/remoting";
import { Announcer, brokerBoot, namesrvBoot } from "./announce.ts";
import { brokerFacts, launchBroker } from "./broker.ts";
import { configure, printed } from "./configuration.ts";
import { consoleLog } from "./console_log.ts";
import { dataHome } from "./data_home.ts";
import { Lifetime } from "./lifetime.ts";
import type { StandaloneFlags } from "./program.ts";
import { starting, UserError } from "./user_error.ts";

const MIB = 1024 * 1024;
/** Below this much free space sends are refused; a laptop's disk that is almost full works. */
const MIN_FREE_BYTES = 512 * MIB;
/** In memory files are small and the oldest go when it fills: below twice this much the store removes them. */
const MEMORY_DEFAULTS = { minFreeBytes: String(256 * MIB), mappedFileSizeCommitLog: String(64 * MIB) };

/** `rmq standalone`: the same name server and broker, with other defaults. */
export async function runStandalone(
  machine: Platform,
  flags: StandaloneFlags,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  if (flags.memory && flags.data !== undefined) throw new UserError("--memory and --data exclude each other: give one");
  if (flags.data === "") throw new UserError("--data names no directory: give one, or leave it out");
  const namesrvPort = Number(flags.namesrvPort);
  if (!Number.isInteger(namesrvPort) || namesrvPort < 1 || namesrvPort > 65535) {
    throw new UserError(`--namesrvPort ${flags.namesrvPort}: not allowed; it must be a port from 1 to 65535`);
  }
  const memory = flags.memory === true;
  const data = memory ? "/memory" : flags.data ?? dataHome(machine.process);
  if (!memory && machine.files.stat(data)?.isDirectory === false) {
    throw new UserError(`${data} is a file: name a directory with --data`);
  }
  const broker = configure("broker", machine, flags, keys, { defaults: brokerDefaults(flags, data) });
  if (printed("broker", machine, flags, broker)) return;
  const logger = consoleLog(machine, flags.log);
  for (const warning of broker.warnings) logger.warn(warning);
  const lifetime = new Lifetime(machine, logger);
  machine.process.raiseDescriptorLimit();
  const platform = memory ? { ...machine, files: memoryFiles(machine.clock) } : machine;

  const namesrv = configure("namesrv", machine, flags, {}, { given: false, defaults: namesrvDefaults(flags, data) });
  const nameServer = await starting(
    { listens: `${flags.host}:${flags.namesrvPort}`, portFlag: "--namesrvPort PORT" },
    () =>
      startNamesrv(platform, namesrvSettings(namesrv.settings), logger, {
        limits: serverLimits(broker.settings),
        tls: tlsSettings(broker.settings),
      }),
  );
  const running = await launchBroker(platform, broker.settings, logger);

  const announce = new Announcer(machine, logger, flags.log);
  announce.started("standalone", [
    ["name server", `${flags.host}:${nameServer.port}`],
    ...brokerFacts(broker.settings, running, memory),
  ]);
  announce.line(namesrvBoot(flags.host, nameServer.port));
  announce.line(brokerBoot(broker.settings.get("brokerName"), running.address, broker.settings.get("namesrvAddr")));
  await lifetime.untilStopped(async () => {
    await running.stop();
    await nameServer.close(100);
  });
}

function brokerDefaults(flags: StandaloneFlags, data: string): Record<string, string> {
  const { host } = flags;
  const everywhere = host === "0.0.0.0" || host === "::";
  return {
    brokerName: "broker-a",
    bindAddress: host,
    // Bound to all addresses, it registers that of an interface, as a broker of its own does.
    ...(everywhere ? {} : { brokerIP1: host, brokerIP2: host }),
    namesrvAddr: `${everywhere ? "127.0.0.1" : bracketed(host)}:${flags.namesrvPort}`,
    storePathRootDir: `${data}/store`,
    minFreeBytes: String(MIN_FREE_BYTES),
    enablePropertyFilter: "true",
    recallMessageEnable: "true",
    ...(flags.memory ? MEMORY_DEFAULTS : {}),
  };
}

function namesrvDefaults(flags: StandaloneFlags, data: string): Record<string, string> {
  return {
    bindAddress: flags.host,
    listenPort: flags.namesrvPort,
    kvConfigPath: `${data}/namesrv/kvConfig.json`,
    configStorePath: `${data}/namesrv/namesrv.properties`,
  };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
