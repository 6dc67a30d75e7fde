import { type AcceptedKeys, type KeyGroup, keyGroups, type ServerKind, type UsedKey } from "@rmq/config";

const INTRO = `<!-- deno-fmt-ignore-file -->

# Configuration

<!-- Written by \`deno task docs\` from lib/config. -->

A value is looked for in this order, and the last one found wins:

1. the default;
2. the file given with \`-c\`: a Java properties file. The \`broker.conf\` or \`namesrv.conf\` of an existing Apache RocketMQ
   installation works as it is;
3. the variable \`RMQ_<key>\`, for example \`RMQ_listenPort\` (with \`_\` for each \`.\`);
4. flags: \`--<key> value\`, and the short ones (\`-n\` for \`namesrvAddr\`, \`-p\` for \`listenPort\`).

\`NAMESRV_ADDR\` and \`ROCKETMQ_HOME\` give the defaults of \`namesrvAddr\` and \`rocketmqHome\`.

A key that neither Apache nor we know is a warning with the nearest known name. Apache's keys that change nothing here
are accepted silently. A value that is not allowed ends the start with exit code 2 and a line that says what is allowed;
Apache would take the default without a word. So does a value that asks for what is not built yet: authentication,
replication, the controller and queues in RocksDB. \`rmq broker --printConfig\` prints everything that is in force.

A key that is live takes effect when it is changed at run time: by request 318 for the name server. A broker's keys are
changed by its file and a restart so far.

Texts are read as Java reads them: ISO 8859-1, \`\\\\\` escapes. A \`\${…}\` is taken literally.
`;

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  return [
    INTRO,
    section("broker", "Broker"),
    section("namesrv", "Name server"),
    accepted(),
  ].join("\n");
}

function section(kind: ServerKind, title: string): string {
  const tables = keyGroups(kind).filter(({ used }) => Object.keys(used).length > 0).map(usedTable);
  return `## ${title}\n\n${tables.join("\n")}`;
}

function usedTable({ component, used }: KeyGroup): string {
  const title = component === "rmq" ? "Our own keys" : `Apache's \`${component}\``;
  const rows = Object.entries(used).map(([name, key]) =>
    `| \`${name}\` | ${typeOf(key)} | ${defaultOf(key)} | ${key.live ? "yes" : ""} | ${escaped(key.about)} |`
  );
  return `### ${title}\n\n${table("| key | type | default | live | what it does |", rows)}`;
}

function accepted(): string {
  const lists = new Map<string, AcceptedKeys>();
  for (const kind of ["broker", "namesrv"] as const) {
    for (const group of keyGroups(kind)) {
      if (Object.keys(group.accepted).length > 0) lists.set(group.component, group.accepted);
    }
  }
  const parts = [...lists].map(([component, keys]) =>
    `### \`${component}\`\n\n${Object.keys(keys).map((name) => `\`${name}\``).join(", ")}\n`
  );
  return `## Accepted, no effect here\n\n${parts.join("\n")}`;
}

function typeOf(key: UsedKey): string {
  if (key.values !== undefined) return key.values.map((value) => `\`${value}\``).join(" ");
  if (key.kind === "text" || key.kind === "bool") return key.kind;
  const least = key.min ?? 0;
  return key.max === undefined ? `${key.kind} ≥ ${least}` : `${key.kind} ${least}–${key.max}`;
}

const COMPUTED: Readonly<Record<string, string>> = {
  "${host}": "host name",
  "${address}": "address of an interface",
  "": "(empty)",
};

function defaultOf(key: UsedKey): string {
  const text = String(key.default);
  const shown = COMPUTED[text] ?? `\`${text.replace("${home}", "~")}\``;
  return key.apache === undefined ? shown : `${shown} (Apache: \`${key.apache}\`)`;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}

function table(head: string, rows: string[]): string {
  const line = head.replace(/[^|]+/g, "---");
  return [head, line, ...rows].join("\n") + "\n";
}
