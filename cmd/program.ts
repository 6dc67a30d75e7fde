import { Command, Option } from "commander";
import type { Platform } from "@rmq/platform";
import { APACHE_VERSION, VERSION } from "./version.ts";

/** Flags of every server. */
export interface ServerFlags {
  readonly configFile?: string;
  readonly port?: string;
  readonly namesrvAddr?: string;
  readonly advertise?: string;
  readonly printConfig?: boolean;
  readonly printImportantConfig?: boolean;
  readonly log: "human" | "json";
}

/** Flags of `rmq standalone`. */
export interface StandaloneFlags extends ServerFlags {
  readonly data?: string;
  readonly memory?: boolean;
  readonly host: string;
  readonly namesrvPort: string;
}

const KEYS = `
Any key of Apache's configuration, and of ours, is a flag too: --key value. Variables RMQ_<key> do the same.
docs/configuration.md lists them.`;

/**
 * The commands and their flags. `keys` gets the configuration flags before an action runs. What a command needs is
 * imported when it runs.
 */
export function buildProgram(platform: Platform, keys: Readonly<Record<string, string>>): Command {
  const program = new Command("rmq")
    .description(`A drop-in Apache RocketMQ ${APACHE_VERSION}: name server and broker in one executable.`)
    .version(
      `rmq ${VERSION}\ncompatible with Apache RocketMQ ${APACHE_VERSION}`,
      "-V, --version",
      "our version and Apache's",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => platform.process.write("out", text),
      writeErr: (text) => platform.process.write("err", text),
      outputError: (text, write) => write(text.replace(/^error: /, "rmq: ")),
    })
    .addHelpText(
      "after",
      `
Examples:
  rmq standalone                     a name server and a broker on this machine, to try and to develop with
  rmq namesrv                        a name server on port 9876
  rmq broker -n 192.0.2.1:9876 -c broker.conf
  rmq broker --help                  all flags of a command`,
    );
  addStandalone(program, platform, keys);
  addNamesrv(program, platform, keys);
  addBroker(program, platform, keys);
  program.command("completion <shell>").description("completion script for bash, zsh, fish or powershell");
  return program;
}

/** Replaces the placeholder of `completion` by the command that makes scripts and answers shells. */
export async function withCompletion(program: Command): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  const commands = program.commands as Command[];
  commands.splice(commands.findIndex((command) => command.name() === "completion"), 1);
  const completion = tab(program, { completionCommandName: "completion" });
  const { usedKeys } = await import("@rmq/config");
  for (const [name, kind] of [["standalone", "broker"], ["broker", "broker"], ["namesrv", "namesrv"]] as const) {
    for (const [key, { about, values = [] }] of Object.entries(usedKeys(kind))) {
      completion.commands.get(name)?.option(key, about, (complete) => values.forEach((value) => complete(value, "")));
    }
  }
  commands.find((command) => command.name() === "completion")?.addHelpText(
    "after",
    `
Examples:
  source <(rmq completion bash)
  rmq completion zsh > "\${fpath[1]}/_rmq"
  rmq completion fish > ~/.config/fish/completions/rmq.fish`,
  );
}

/** All long flags that are not configuration keys. */
export function longFlags(program: Command): Set<string> {
  const flags = new Set(["--help"]);
  for (const command of [program, ...program.commands]) {
    for (const { long } of command.options) if (long) flags.add(long);
  }
  return flags;
}

type Keys = Readonly<Record<string, string>>;

function addStandalone(program: Command, platform: Platform, keys: Keys): void {
  serverCommand(program, "standalone", "a name server and a broker in this process, on loopback")
    .option("--data <dir>", "directory of all data (default: rmq below the user's data home)")
    .option("--memory", "keep everything in memory; nothing is left after the end")
    .option("--host <address>", "address to listen on; 0.0.0.0 for all", "127.0.0.1")
    .option("--namesrvPort <port>", "port of the name server", "9876")
    .option("-p, --port <port>", "port of the broker (default: 10911)")
    .option("--advertise <host[:port]>", "address that clients are told, when it is another one")
    .addHelpText(
      "after",
      `${KEYS}

Examples:
  rmq standalone                                data below ~/.local/share/rmq, every message on disk before its answer
  rmq standalone --memory                       for tests
  rmq standalone --host 0.0.0.0 --advertise mq.example.com
  rmq standalone --flushDiskType ASYNC_FLUSH    Apache's default: faster, a power cut may lose the last half second`,
    )
    .action(async (flags: StandaloneFlags) => {
      const { runStandalone } = await import("./standalone.ts");
      await runStandalone(platform, flags, keys);
    });
}

function addNamesrv(program: Command, platform: Platform, keys: Keys): void {
  serverCommand(program, "namesrv", "a name server: tells clients where the brokers are")
    .option("-p, --port <port>", "port to listen on (default: 9876)")
    .addOption(new Option("-n, --namesrvAddr <addresses>", "accepted as by mqnamesrv; of no effect").hideHelp())
    .addHelpText(
      "after",
      `${KEYS}

Examples:
  rmq namesrv
  rmq namesrv -c namesrv.conf -p 9877
  rmq namesrv --bindAddress 127.0.0.1`,
    )
    .action(async (flags: ServerFlags) => {
      const { runNamesrv } = await import("./namesrv.ts");
      await runNamesrv(platform, flags, keys);
    });
}

function addBroker(program: Command, platform: Platform, keys: Keys): void {
  serverCommand(program, "broker", "a broker: keeps messages and hands them out")
    .option("-n, --namesrvAddr <addresses>", "name servers, host:port joined by ; (default: $NAMESRV_ADDR)")
    .option("-p, --port <port>", "port to listen on; the port 2 below it listens too (default: 10911)")
    .option("--advertise <host[:port]>", "address that clients are told (default: that of an interface)")
    .addHelpText(
      "after",
      `${KEYS}

Examples:
  rmq broker -n 127.0.0.1:9876
  rmq broker -c broker.conf                     the file of an existing installation works as it is
  rmq broker -n ns1:9876;ns2:9876 --brokerName broker-b --storePathRootDir /data/rmq
  rmq broker -c broker.conf --printConfig`,
    )
    .action(async (flags: ServerFlags) => {
      const { runBroker } = await import("./broker.ts");
      await runBroker(platform, flags, keys);
    });
}

function serverCommand(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).allowExcessArguments(false)
    .option("-c, --configFile <file>", "Java properties file, as Apache's servers take it")
    .option("--printConfig", "print all properties and end")
    .addOption(
      new Option("--printConfigItem", "the same, as mqbroker calls it").implies({ printConfig: true }).hideHelp(),
    )
    .option("-m, --printImportantConfig", "print the most important properties and end")
    .addOption(
      new Option("--log <format>", "lines for people, or a JSON object a line").choices(["human", "json"]).default(
        "human",
      ),
    );
}
