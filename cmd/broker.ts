import { type Broker, brokerOptions, startBroker } from "@rmq/broker";
import type { BrokerValues, Settings } from "@rmq/config";
import type { Logger, Platform } from "@rmq/platform";
import { Announcer, brokerBoot, durability } from "./announce.ts";
import { configure, printed } from "./configuration.ts";
import { consoleLog } from "./console_log.ts";
import { Lifetime } from "./lifetime.ts";
import type { ServerFlags } from "./program.ts";
import { starting } from "./user_error.ts";

/** `rmq broker` */
export async function runBroker(
  platform: Platform,
  flags: ServerFlags,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  const configuration = configure("broker", platform, flags, keys);
  if (printed("broker", platform, flags, configuration)) return;
  const logger = consoleLog(platform, flags.log);
  for (const warning of configuration.warnings) logger.warn(warning);
  const lifetime = new Lifetime(platform, logger);
  platform.process.raiseDescriptorLimit();

  const { settings } = configuration;
  const broker = await launchBroker(platform, settings, logger);
  const announce = new Announcer(platform, logger, flags.log);
  const namesrvAddr = settings.get("namesrvAddr");
  announce.started("broker", [
    ...brokerFacts(settings, broker, false),
    ["registers with", namesrvAddr === "" ? "nobody: give -n HOST:PORT for clients to find it" : namesrvAddr],
  ]);
  announce.line(brokerBoot(settings.get("brokerName"), broker.address, namesrvAddr));
  await lifetime.untilStopped(() => broker.stop());
}

/** Starts the broker of these settings. Throws UserError or StoreError. */
export function launchBroker(platform: Platform, settings: Settings<BrokerValues>, logger: Logger): Promise<Broker> {
  return starting(
    { listens: ports(settings), portFlag: "-p PORT" },
    () => startBroker(platform, brokerOptions(settings, platform.process), logger),
  );
}

/** Where a broker listens, what clients are told, where the data is and how durable. */
export function brokerFacts(
  settings: Settings<BrokerValues>,
  broker: Broker,
  memory: boolean,
): [label: string, text: string][] {
  return [
    ["broker", `${ports(settings)}, told to clients as ${broker.address}`],
    ["data", memory ? "none on disk" : settings.get("storePathRootDir")],
    ["durability", durability(settings.get("flushDiskType"), memory)],
  ];
}

function ports(settings: Settings<BrokerValues>): string {
  const { bindAddress, listenPort } = settings.slice(["bindAddress", "listenPort"]);
  return `${bindAddress}:${listenPort}${listenPort > 2 ? ` (and ${listenPort - 2})` : ""}`;
}
