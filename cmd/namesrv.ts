import type { Logger, Platform } from "@rmq/platform";
import { type Namesrv, namesrvServer, namesrvSettings, startNamesrv } from "@rmq/namesrv";
import { Announcer, namesrvBoot } from "./announce.ts";
import { configure, printed } from "./configuration.ts";
import { consoleLog } from "./console_log.ts";
import { Lifetime } from "./lifetime.ts";
import type { ServerFlags } from "./program.ts";
import { starting } from "./user_error.ts";

/** `rmq namesrv` */
export async function runNamesrv(
  platform: Platform,
  flags: ServerFlags,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  // A changed configuration is written to the file that it came from.
  const defaults: Record<string, string> = flags.configFile === undefined ? {} : { configStorePath: flags.configFile };
  const configuration = configure("namesrv", platform, flags, keys, { defaults });
  if (printed("namesrv", platform, flags, configuration)) return;
  const logger: Logger = consoleLog(platform, flags.log);
  for (const warning of configuration.warnings) logger.warn(warning);
  const lifetime = new Lifetime(platform, logger);
  platform.process.raiseDescriptorLimit();

  const { settings } = configuration;
  const host = settings.get("bindAddress");
  const namesrv: Namesrv = await starting(
    { listens: `${host}:${settings.get("listenPort")}`, portFlag: "-p PORT" },
    () => startNamesrv(platform, namesrvSettings(settings), logger, namesrvServer(settings)),
  );
  const announce = new Announcer(platform, logger, flags.log);
  announce.started("namesrv", [
    ["listens on", `${host}:${namesrv.port}`],
    ["key-values", settings.get("kvConfigPath")],
  ]);
  announce.line(namesrvBoot(host, namesrv.port));
  await lifetime.untilStopped(() => namesrv.close(100));
}
