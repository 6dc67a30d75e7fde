import { ClientError } from "./client_error.ts";

/** What can be sent as a body: bytes as they are, text as UTF-8, anything else through the codec, JSON by default. */
export type Body = Uint8Array | string | object;

/** Values to bytes and back. */
export interface Codec<T> {
  /** Bytes of a value. May throw; what it throws is the cause of a ClientError `BAD_ARGUMENT`. */
  encode(value: T): Uint8Array;
  /** The value of bytes. May throw; what it throws is the cause of a ClientError `BAD_BODY`. */
  decode(bytes: Uint8Array): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * JSON in UTF-8, with the type that the program knows it to have.
 *
 * ```ts
 * import { jsonCodec } from "@rmq/client";
 *
 * const orders = jsonCodec<{ id: number }>();
 * console.log(orders.decode(orders.encode({ id: 7 })).id); // 7
 * ```
 */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => encoder.encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}

/** Text in UTF-8. */
export const textCodec: Codec<string> = {
  encode: (value) => encoder.encode(value),
  decode: (bytes) => decoder.decode(bytes),
};

/** The bytes of a body. Throws ClientError `BAD_ARGUMENT`. */
export function encodeBody(body: Body): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return encoder.encode(body);
  if (typeof body !== "object" || body === null) {
    throw new ClientError("BAD_ARGUMENT", `a body is bytes, text or an object, not ${typeof body}`);
  }
  try {
    return encoder.encode(JSON.stringify(body));
  } catch (cause) {
    throw new ClientError("BAD_ARGUMENT", "the body has no JSON", { cause });
  }
}

/** The text of bytes. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
