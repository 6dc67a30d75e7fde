import manifest from "../deno.json" with { type: "json" };

/** Our own version. */
export const VERSION: string = manifest.version;

/** The release of Apache RocketMQ whose behaviour we have, and whose version number our frames carry. */
export const APACHE_VERSION = "5.5.0";
