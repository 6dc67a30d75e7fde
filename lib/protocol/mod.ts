/**
 * RocketMQ's bytes and values: frames, headers, messages, properties, ids, JSON. No input or output.
 *
 * @module
 */
export { type Answer, type HeaderFields, type OutgoingRequest, writeAnswer, writeRequest } from "./answer.ts";
export { decodeBatch, type EachInner, encodeBatch, type InnerMessage } from "./batch_body.ts";
export { crc32 } from "./crc.ts";
export { FormatError, FrameError, type FrameErrorCode, HeaderFieldError, JsonError } from "./errors.ts";
export { type JsonObject, type JsonValue, parseJson, type ParseOptions } from "./fastjson.ts";
export { FrameDecoder, MAX_FRAME_LENGTH, type TakeFrame } from "./frame_decoder.ts";
export { bodyLengthOf, Header, MAX_HEADER_LENGTH } from "./header.ts";
export {
  MAX_MESSAGE_ID_LENGTH,
  type OffsetMessageId,
  offsetMessageId,
  parseOffsetMessageId,
  UniqueId,
  writeOffsetMessageId,
} from "./ids.ts";
export { hashContinue, javaHash, javaHashBytes } from "./java_hash.ts";
export { KnownProperty, propertyNames } from "./known_property.ts";
export { encodeProperty, Properties } from "./message_properties.ts";
export { type BufferSource, Output, writeDecimal } from "./output.ts";
export { PullAnswer } from "./pull_answer.ts";
export { headerSpecs } from "./header_fields.ts";
export { HeaderParts } from "./_header_parts.ts";
export { requestCodes } from "./request_codes.ts";
export {
  type FieldNumbers,
  type FieldRow,
  Fields,
  type FieldTable,
  type FieldType,
  type HeaderName,
  type HeaderRow,
  headerRow,
  type Inherited,
  type NameOf,
  type NamesIn,
  type Permission,
  RequestCode,
  type RequestName,
  type RequestRow,
  requestTable,
  type ServedBy,
} from "./request_table.ts";
export { ResponseCode } from "./response_code.ts";
export { SendAnswer, type SendAnswerOptions } from "./send_answer.ts";
export {
  BAD_CRC,
  BAD_LENGTH,
  BAD_MAGIC,
  BLANK_MAGIC,
  INCOMPLETE,
  MAGIC_V1,
  MAGIC_V2,
  MIN_STORED_SIZE,
} from "./_stored_layout.ts";
export { encodeStored, MessageDraft, storedSize } from "./message_draft.ts";
export { isStoredAt, StoredMessage } from "./stored_message.ts";
export * from "./system.ts";
export * from "./topic_names.ts";
export {
  Double,
  double,
  integerKeys,
  type Jsonable,
  type JsonOptions,
  KeyedMap,
  objectKeys,
  pretty,
  toJson,
} from "./to_json.ts";
