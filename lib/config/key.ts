/** How a value is written and checked. Java's int and long, double, boolean and String. */
export type KeyKind = "int" | "long" | "double" | "bool" | "text";

/** Which part of Apache (or of us) a key belongs to: the Java class that holds it, or `rmq` for our own. */
export type Component =
  | "BrokerConfig"
  | "MessageStoreConfig"
  | "NettyServerConfig"
  | "NettyClientConfig"
  | "TlsSystemConfig"
  | "AuthConfig"
  | "NamesrvConfig"
  | "ControllerConfig"
  | "rmq";

/** The declaration of a key that this project reads. */
export interface UsedKey {
  /** How the value is written. */
  readonly kind: KeyKind;
  /** The default; texts may hold `${home}`, `${host}`, `${address}` or `${env:NAME}`, which `resolve` fills in. */
  readonly default: string | number | boolean;
  /** What it does here, in a few words, with the unit. */
  readonly about: string;
  /** All texts that are allowed. */
  readonly values?: readonly string[];
  /** Regular expression that the text must match, with the words for it. */
  readonly pattern?: readonly [expression: string, allowed: string];
  /** Least number allowed; 0 when absent. */
  readonly min?: number;
  /** Largest number allowed; the kind's own when absent. */
  readonly max?: number;
  /** Takes effect when it is changed at run time. */
  readonly live?: boolean;
  /** What Apache's default is, where ours was chosen to differ. */
  readonly apache?: string;
}

/** Keys that this project reads, by name. */
export type UsedKeys = Readonly<Record<string, UsedKey>>;

/** Keys that are known and change nothing here: name to Apache's default as it prints it, null when it prints none. */
export type AcceptedKeys = Readonly<Record<string, string | null>>;

/** The TypeScript type of a key's value. */
export type ValueOf<K extends UsedKey> = K extends { readonly values: readonly (infer V)[] } ? V
  : K["kind"] extends "bool" ? boolean
  : K["kind"] extends "text" ? string
  : number;

/** The value types of a table of keys. */
export type ValuesOf<T extends UsedKeys> = { readonly [Name in keyof T]: ValueOf<T[Name]> };
