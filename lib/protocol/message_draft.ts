import { EMPTY, setI64, viewOf } from "./_bytes.ts";
import { MAGIC_V1, MAGIC_V2, MAX_V1_TOPIC, MIN_STORED_SIZE } from "./_stored_layout.ts";
import { crc32 } from "./crc.ts";
import { Properties } from "./message_properties.ts";
import { SysFlag } from "./system.ts";

/** What is to be stored; reusable. Addresses have 4 or 16 bytes. */
export class MessageDraft {
  /** UTF-8. */
  topic: Uint8Array = EMPTY;
  /** Queue within the topic. */
  queueId = 0;
  /** The user's flag. */
  flag = 0;
  /** The bits for IPv6 hosts are set from the addresses. */
  sysFlag = 0;
  /** ms since 1970 */
  bornTimestamp = 0;
  /** Client's address. */
  bornHost: Uint8Array = new Uint8Array(4);
  /** Client's port. */
  bornPort = 0;
  /** Broker's address. */
  storeHost: Uint8Array = new Uint8Array(4);
  /** Broker's port. */
  storePort = 0;
  /** ms since 1970 */
  storeTimestamp = 0;
  /** How often it was given back. */
  reconsumeTimes = 0;
  /** Physical offset of the half message. */
  preparedTransactionOffset = 0;
  /** Index in the queue. */
  queueOffset = 0;
  /** Position in the commit log. */
  physicalOffset = 0;
  /** The body is body[bodyStart, bodyEnd). */
  body: Uint8Array = EMPTY;
  /** First byte of the body. */
  bodyStart = 0;
  /** Behind the last byte of the body. */
  bodyEnd = 0;
  /** Stored as they are. */
  properties: Properties = new Properties();
}

/** Size that the draft will have, bytes. */
export function storedSize(draft: MessageDraft): number {
  const topicLength = draft.topic.length;
  return MIN_STORED_SIZE + (draft.bornHost.length - 4) + (draft.storeHost.length - 4) +
    (draft.bodyEnd - draft.bodyStart) + topicLength + (topicLength > MAX_V1_TOPIC ? 1 : 0) + draft.properties.length;
}

/** Writes the entry to into[at…], which has room for `storedSize`, and returns the new end. */
export function encodeStored(draft: MessageDraft, into: Uint8Array, at: number): number {
  const { body, bodyStart, bodyEnd, topic, bornHost, storeHost, properties } = draft;
  const topicLength = topic.length;
  const long = topicLength > MAX_V1_TOPIC;
  let sysFlag = draft.sysFlag & ~(SysFlag.BORN_HOST_V6 | SysFlag.STORE_HOST_V6);
  if (bornHost.length === 16) sysFlag |= SysFlag.BORN_HOST_V6;
  if (storeHost.length === 16) sysFlag |= SysFlag.STORE_HOST_V6;

  // Every number is made an int32 first: one that came as a double would throw this function out of compiled code
  // at each call (bench/micro/send_path.ts).
  const view = outputView(into);
  const content = bodyStart === 0 && bodyEnd === body.length ? body : body.subarray(bodyStart, bodyEnd);
  view.setInt32(at + 4, long ? MAGIC_V2 : MAGIC_V1);
  view.setInt32(at + 8, crc32(content) & 0x7fffffff);
  view.setInt32(at + 12, draft.queueId | 0);
  view.setInt32(at + 16, draft.flag | 0);
  setI64(view, at + 20, draft.queueOffset);
  setI64(view, at + 28, draft.physicalOffset);
  view.setInt32(at + 36, sysFlag | 0);
  setI64(view, at + 40, draft.bornTimestamp);
  let p = writeHost(bornHost, draft.bornPort, view, into, at + 48);
  setI64(view, p, draft.storeTimestamp);
  p = writeHost(storeHost, draft.storePort, view, into, p + 8);
  view.setInt32(p, draft.reconsumeTimes | 0);
  setI64(view, p + 4, draft.preparedTransactionOffset);
  view.setInt32(p + 12, content.length | 0);
  into.set(content, p + 16);
  p += 16 + content.length;
  if (long) into[p++] = topicLength >> 8;
  into[p++] = topicLength;
  p = copyBytes(topic, 0, topicLength, into, p);
  view.setInt16(p, properties.length | 0);
  into.set(properties.view(), p + 2);
  p += 2 + properties.length;
  view.setInt32(at, (p - at) | 0);
  return p;
}

let outputBytes: Uint8Array = EMPTY;
let outputWords: DataView = viewOf(EMPTY);

/** Entries are written one after the other into the same buffer. */
function outputView(into: Uint8Array): DataView {
  if (into !== outputBytes) {
    outputBytes = into;
    outputWords = viewOf(into);
  }
  return outputWords;
}

function writeHost(host: Uint8Array, port: number, view: DataView, into: Uint8Array, at: number): number {
  for (let i = 0; i < host.length; i++) into[at + i] = host[i];
  view.setInt32(at + host.length, port | 0);
  return at + host.length + 4;
}

function copyBytes(source: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  const count = end - start;
  if (count > 48) into.set(source.subarray(start, end), at);
  else for (let i = 0; i < count; i++) into[at + i] = source[start + i];
  return at + count;
}
