import { Buffer } from "node:buffer";
import { crypto } from "../builtin/mod.ts";
import type { Certificates } from "../types.ts";

const DAY_MS = 86_400_000;
const VALID_DAYS = 3650;

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];

/** Implements `Certificates` with `node:crypto`. */
export const hostCertificates: Certificates = { selfSigned, decryptKey };

/**
 * Certificate ::= SEQUENCE { TBSCertificate, algorithm, signature }
 * TBSCertificate ::= SEQUENCE { [0] version 2, serial, algorithm, issuer, validity, subject, key, [3] extensions }
 */
function selfSigned(name: string): { cert: string; key: string } {
  const { publicKey, privateKey } = crypto().generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256));
  const serial = crypto().randomBytes(16);
  serial[0] = 0x40 | serial[0]! & 0x3f;
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8_STRING, ascii(name)))));
  const now = Date.now();
  const names = der(SEQUENCE, der(DNS_NAME, ascii(name)), der(IP_ADDRESS, [127, 0, 0, 1]));
  const altName = der(SEQUENCE, der(OBJECT_ID, SUBJECT_ALT_NAME), der(OCTET_STRING, names));
  const content = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, [2])),
    der(INTEGER, serial),
    algorithm,
    subject,
    der(SEQUENCE, time(now - DAY_MS), time(now + VALID_DAYS * DAY_MS)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(EXTENSIONS, der(SEQUENCE, altName)),
  );
  const signature = crypto().sign("sha256", content, privateKey);
  const certificate = der(SEQUENCE, content, algorithm, der(BIT_STRING, [0], signature));
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: pem("CERTIFICATE", certificate), key };
}

function decryptKey(key: string, password: string): string {
  return crypto().createPrivateKey({ key, passphrase: password }).export({ type: "pkcs8", format: "pem" }).toString();
}

/** One DER element: tag, length, contents. */
function der(tag: number, ...contents: (ArrayLike<number>)[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of contents) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** UTCTime up to 2049, GeneralizedTime from then on, as X.509 has it. */
function time(ms: number): Uint8Array {
  const text = `${new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, "")}`;
  return text >= "2050" ? der(GENERALIZED_TIME, ascii(text)) : der(UTC_TIME, ascii(text.slice(2)));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes).toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
