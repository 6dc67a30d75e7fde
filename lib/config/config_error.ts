/** A configuration that can't be used. Each problem is a line for the user: what is wrong, where, what is allowed. */
export class ConfigError extends Error {
  /** @ignore */
  override readonly name = "ConfigError";
  /** Takes one line a problem. */
  constructor(
    /** One line each, without a full stop. */
    readonly problems: readonly string[],
  ) {
    super(problems.join("\n"));
  }
}
