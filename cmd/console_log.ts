import { configureSync, getLogger, type LogRecord, type Sink } from "@logtape/logtape";
import type { Logger, Platform } from "@rmq/platform";

/** How lines look. */
export type LogFormat = "human" | "json";

/** The log of this process: lines for people on standard error, or JSON objects on standard output. */
export function consoleLog(platform: Platform, format: LogFormat): Logger {
  const sink: Sink = format === "json"
    ? (record) => platform.process.write("out", `${JSON.stringify(asJson(record))}\n`)
    : (record) => platform.process.write("err", `${asLine(platform, record)}\n`);
  configureSync({
    sinks: { console: sink },
    loggers: [
      { category: ["rmq"], lowestLevel: "info", sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] },
    ],
    reset: true,
  });
  const logger = getLogger(["rmq"]);
  return {
    info: (message, fields) => logger.info(literal(message), fields ?? {}),
    warn: (message, fields) => logger.warn(literal(message), fields ?? {}),
    error: (message, fields) => logger.error(literal(message), fields ?? {}),
  };
}

// Braces are LogTape's placeholders; ours are just text.
function literal(message: string): string {
  return message.replaceAll("{", "{{").replaceAll("}", "}}");
}

function asJson(record: LogRecord): Record<string, unknown> {
  return {
    time: new Date(record.timestamp).toISOString(),
    level: record.level,
    message: textOf(record),
    ...record.properties,
  };
}

function asLine(platform: Platform, record: LogRecord): string {
  const { hour, minute, second } = platform.clock.localTime(record.timestamp);
  const time = [hour, minute, second].map((part) => String(part).padStart(2, "0")).join(":");
  const fields = Object.entries(record.properties).map(([name, value]) => `  ${name}=${shown(value)}`).join("");
  const level = record.level === "info" ? "" : `${record.level}: `;
  return `${time} ${level}${textOf(record)}${fields}`;
}

function textOf(record: LogRecord): string {
  return record.message.map(String).join("");
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
