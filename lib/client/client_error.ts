import { ResponseCode } from "@rmq/protocol";
import { RemotingError, type Response } from "@rmq/remoting";

/**
 * What a ClientError is about. Codes stay what they are over versions:
 *
 * - `BAD_ARGUMENT`: a value that cannot be meant, such as an empty topic
 * - `CLOSED`: the client was closed
 * - `ABORTED`: the caller's AbortSignal
 * - `NAMESRV_UNREACHABLE`: no name server answered
 * - `BROKER_UNREACHABLE`: no connection to the broker, or it was lost
 * - `TIMEOUT`: no answer in time
 * - `TOO_MANY_PENDING`: more requests wait for one broker than may
 * - `TOPIC_NOT_FOUND`: the topic has no route
 * - `NO_QUEUE`: the topic has no queue that can be written (or read) now
 * - `NO_PERMISSION`: refused by permissions or by authentication
 * - `MESSAGE_ILLEGAL`: the broker does not take the message
 * - `MESSAGE_TOO_LARGE`: bigger than may be sent
 * - `GROUP_NOT_FOUND`: the broker does not know the consumer group
 * - `BUSY`: the broker asks to come again later
 * - `NOT_STORED`: the broker could not store it now
 * - `BAD_SUBSCRIPTION`: a filter that the broker does not understand
 * - `NOT_FOUND`: what was asked for is not there
 * - `NOT_SUPPORTED`: the broker, or this runtime, cannot do it
 * - `BAD_ANSWER`: an answer that makes no sense
 * - `BAD_BODY`: a message body that cannot be read
 * - `REFUSED`: any other code of the broker, see `responseCode`
 */
export type ClientErrorCode =
  | "BAD_ARGUMENT"
  | "CLOSED"
  | "ABORTED"
  | "NAMESRV_UNREACHABLE"
  | "BROKER_UNREACHABLE"
  | "TIMEOUT"
  | "TOO_MANY_PENDING"
  | "TOPIC_NOT_FOUND"
  | "NO_QUEUE"
  | "NO_PERMISSION"
  | "MESSAGE_ILLEGAL"
  | "MESSAGE_TOO_LARGE"
  | "GROUP_NOT_FOUND"
  | "BUSY"
  | "NOT_STORED"
  | "BAD_SUBSCRIPTION"
  | "NOT_FOUND"
  | "NOT_SUPPORTED"
  | "BAD_ANSWER"
  | "BAD_BODY"
  | "REFUSED";

/** What an error carries besides its code and its message. */
export interface ClientErrorDetails {
  /** Whether the same call may succeed later; by default as the code has it. */
  readonly retriable?: boolean;
  /** The server's response code (remoting.md §7). */
  readonly responseCode?: number;
  /** What the server said. */
  readonly remark?: string;
  /** What it comes from. */
  readonly cause?: unknown;
}

const RETRIABLE: ReadonlySet<ClientErrorCode> = new Set<ClientErrorCode>([
  "NAMESRV_UNREACHABLE",
  "BROKER_UNREACHABLE",
  "TIMEOUT",
  "TOO_MANY_PENDING",
  "NO_QUEUE",
  "BUSY",
  "NOT_STORED",
]);

/**
 * Everything that the client gives up on.
 *
 * ```ts
 * import { ClientError } from "@rmq/client";
 *
 * const error = new ClientError("TIMEOUT", "no answer from 10.0.0.1:10911 in time");
 * console.log(error.code, error.retriable); // TIMEOUT true
 * ```
 */
export class ClientError extends Error {
  /** The class of the error. */
  override readonly name = "ClientError";
  /** What it is about; stable. */
  readonly code: ClientErrorCode;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** The server's response code, when a server refused. */
  readonly responseCode?: number;
  /** The server's remark, when it gave one. */
  readonly remark?: string;

  /** See the fields. */
  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retriable = details.retriable ?? RETRIABLE.has(code);
    if (details.responseCode !== undefined) this.responseCode = details.responseCode;
    if (details.remark !== undefined) this.remark = details.remark;
  }
}

const BY_RESPONSE: ReadonlyMap<number, ClientErrorCode> = new Map<number, ClientErrorCode>([
  [ResponseCode.SYSTEM_BUSY, "BUSY"],
  [ResponseCode.REQUEST_CODE_NOT_SUPPORTED, "NOT_SUPPORTED"],
  [ResponseCode.MESSAGE_ILLEGAL, "MESSAGE_ILLEGAL"],
  [ResponseCode.SERVICE_NOT_AVAILABLE, "NOT_STORED"],
  [ResponseCode.NO_PERMISSION, "NO_PERMISSION"],
  [ResponseCode.TOPIC_NOT_EXIST, "TOPIC_NOT_FOUND"],
  [ResponseCode.QUERY_NOT_FOUND, "NOT_FOUND"],
  [ResponseCode.SUBSCRIPTION_PARSE_FAILED, "BAD_SUBSCRIPTION"],
  [ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, "GROUP_NOT_FOUND"],
]);

/** The error for a response with a code that is no success. `what` names the call. */
export function refused(what: string, code: number, remark: string | null): ClientError {
  const said = remark === null || remark === "" ? "" : `: ${remark}`;
  return new ClientError(BY_RESPONSE.get(code) ?? "REFUSED", `${what} was refused with code ${code}${said}`, {
    responseCode: code,
    ...(remark === null ? {} : { remark }),
    // Whatever failed inside the broker may work on another one.
    ...(code === ResponseCode.SYSTEM_ERROR ? { retriable: true } : {}),
  });
}

/** Returns the response when its code is 0, else throws the ClientError for it. */
export function expectSuccess(what: string, response: Response): Response {
  if (response.code === ResponseCode.SUCCESS) return response;
  throw refused(what, response.code, response.remark);
}

/** An error of the remoting layer as one of the client's; others as they are. */
export function asClientError(error: unknown): unknown {
  if (!(error instanceof RemotingError)) return error;
  switch (error.code) {
    case "TIMEOUT":
      return new ClientError("TIMEOUT", error.message, { cause: error });
    case "TOO_MANY_PENDING":
      return new ClientError("TOO_MANY_PENDING", error.message, { cause: error });
    case "BAD_ADDRESS":
      return new ClientError("BAD_ARGUMENT", error.message, { cause: error });
    default:
      return new ClientError("BROKER_UNREACHABLE", error.message, { cause: error });
  }
}
