/** Version number that our frames carry: `MQVersion` ordinal of V5_5_0. */
export const VERSION = 513;

/** Language codes by name (`LanguageCode`): JSON headers carry the name, binary headers the number. */
export const LanguageCode = {
  JAVA: 0,
  CPP: 1,
  DOTNET: 2,
  PYTHON: 3,
  DELPHI: 4,
  ERLANG: 5,
  RUBY: 6,
  OTHER: 7,
  HTTP: 8,
  GO: 9,
  PHP: 10,
  OMS: 11,
  RUST: 12,
  NODE_JS: 13,
} as const;

/** Names of the languages; the index is the code. */
export const languageNames: readonly string[] = Object.keys(LanguageCode);

/** Bits of a header's `flag` (`RemotingCommand`). */
export const FrameFlag = { RESPONSE: 1, ONEWAY: 2 } as const;

/** How a frame's header is written: the top byte of its second word. */
export const SerializeType = { JSON: 0, ROCKETMQ: 1 } as const;

/** Bits of a topic's or broker's `perm` (`PermName`). */
export const Perm = { INHERIT: 1, WRITE: 2, READ: 4, PRIORITY: 8 } as const;

/** Bits of a message's `sysFlag` (`MessageSysFlag`). */
export const SysFlag = {
  COMPRESSED: 0x1,
  MULTI_TAGS: 0x2,
  TRANSACTION_MASK: 0xc,
  TRANSACTION_NOT: 0,
  TRANSACTION_PREPARED: 0x4,
  TRANSACTION_COMMIT: 0x8,
  TRANSACTION_ROLLBACK: 0xc,
  BORN_HOST_V6: 0x10,
  STORE_HOST_V6: 0x20,
  NEED_UNWRAP: 0x40,
  INNER_BATCH: 0x80,
  COMPRESSION_MASK: 0x700,
  COMPRESSION_LZ4: 0x100,
  COMPRESSION_ZSTD: 0x200,
  COMPRESSION_ZLIB: 0x300,
} as const;

/** Bits of a pull request's `sysFlag` (`PullSysFlag`). */
export const PullSysFlag = {
  COMMIT_OFFSET: 1,
  SUSPEND: 2,
  SUBSCRIPTION: 4,
  CLASS_FILTER: 8,
  LITE_PULL: 16,
} as const;

/** Bits of a topic's `topicSysFlag` (`TopicSysFlag`). */
export const TopicSysFlag = { UNIT: 1, UNIT_SUB: 2 } as const;

/** Highest ordinal of `MQVersion`; larger ones count as this. */
export const HIGHER_VERSION = 612;

/** `MQVersion.Version` in order: sixteen names of their own, then SNAPSHOT and release in turn up to V5_9_9. */
function allVersionNames(): string[] {
  const names = ["V3_0_0_SNAPSHOT"];
  for (const tail of ["ALPHA1", "BETA1", "BETA2", "BETA3", "BETA4", "BETA5"]) names.push(`V3_0_0_${tail}`);
  for (const beta of [6, 7, 8, 9]) names.push(`V3_0_0_BETA${beta}_SNAPSHOT`, `V3_0_0_BETA${beta}`);
  names.push("V3_0_0_FINAL");
  const pair = (major: number, minor: number, patch: number) =>
    names.push(`V${major}_${minor}_${patch}_SNAPSHOT`, `V${major}_${minor}_${patch}`);
  for (let patch = 1; patch <= 15; patch++) pair(3, 0, patch);
  for (let minor = 1; minor <= 9; minor++) {
    for (let patch = minor < 3 ? 0 : 1; patch <= 9; patch++) pair(3, minor, patch);
  }
  for (const major of [4, 5]) {
    for (let minor = 0; minor <= 9; minor++) for (let patch = 0; patch <= 9; patch++) pair(major, minor, patch);
  }
  names.push("HIGHER_VERSION");
  return names;
}

let versionNames: string[] | null = null;

/** Name of a version ordinal (`V5_5_0` for 513); larger ones are `HIGHER_VERSION`, as `MQVersion.getVersionDesc` says it. */
export function versionName(ordinal: number): string {
  versionNames ??= allVersionNames();
  return versionNames[Math.max(0, Math.min(ordinal, HIGHER_VERSION))];
}
