import { zlib } from "@rmq/platform/builtin";
import { SysFlag } from "@rmq/protocol";
import { ClientError } from "./client_error.ts";

/** Java's default level (`compressLevel`). */
const LEVEL = 5;
/** Beyond it a body is compressed off the loop, bytes. */
export const OFF_LOOP_BYTES: number = 64 * 1024;
/** What a received body may grow to, bytes. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

type Inflate = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

/** The sysFlag bits of a body that `compress` made: zlib, as Java's client marks it. */
export const COMPRESSED_BITS: number = SysFlag.COMPRESSED | SysFlag.COMPRESSION_ZLIB;

/** Compresses a small body at once; null when it is to be done by `compressLater`. */
export function compressNow(body: Uint8Array): Uint8Array | null {
  return body.length > OFF_LOOP_BYTES ? null : zlib().deflateSync(body, { level: LEVEL });
}

/** Compresses a large body without holding up the loop. */
export function compressLater(body: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zlib().deflate(body, { level: LEVEL }, (error, result) => error === null ? resolve(result) : reject(error));
  });
}

/**
 * The body that was sent, of the one that is stored: zlib and, where the runtime has it, ZSTD. Throws ClientError
 * `NOT_SUPPORTED` for other kinds and `BAD_BODY` for bytes that cannot be read. (MessageSysFlag, CompressionType)
 */
export function decompress(body: Uint8Array, sysFlag: number): Uint8Array {
  if ((sysFlag & SysFlag.COMPRESSED) === 0) return body;
  const kind = sysFlag & SysFlag.COMPRESSION_MASK;
  const inflate = inflateOf(kind);
  try {
    const whole = inflate(body, { maxOutputLength: MAX_BODY_BYTES });
    return new Uint8Array(whole.buffer, whole.byteOffset, whole.length);
  } catch (cause) {
    throw new ClientError("BAD_BODY", "the compressed body cannot be read", { cause });
  }
}

function inflateOf(kind: number): Inflate {
  switch (kind) {
    case 0:
    case SysFlag.COMPRESSION_ZLIB:
      return zlib().inflateSync;
    case SysFlag.COMPRESSION_ZSTD: {
      const zstd = (zlib() as { zstdDecompressSync?: Inflate }).zstdDecompressSync;
      if (zstd !== undefined) return zstd;
      throw new ClientError("NOT_SUPPORTED", "this runtime cannot read bodies in ZSTD");
    }
    case SysFlag.COMPRESSION_LZ4:
      throw new ClientError("NOT_SUPPORTED", "bodies in LZ4 cannot be read");
    default:
      throw new ClientError("NOT_SUPPORTED", `bodies with compression ${kind >> 8} cannot be read`);
  }
}
