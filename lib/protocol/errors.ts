/** What makes a frame unreadable. Apache closes the connection on each of them, without an answer. */
export type FrameErrorCode = "FRAME_TOO_LONG" | "FRAME_TOO_SHORT" | "BAD_HEADER" | "BAD_SERIALIZE_TYPE";

/** A frame that cannot be read; the connection must be closed (remoting sheet §1). */
export class FrameError extends Error {
  override readonly name = "FrameError";
  constructor(readonly code: FrameErrorCode, message: string) {
    super(message);
  }
}

/** A header field whose text is not a number that Java would accept, or not a safe integer. Answered with code 1. */
export class HeaderFieldError extends Error {
  override readonly name = "HeaderFieldError";
  readonly code = "BAD_FIELD";
  constructor(readonly field: string, message: string) {
    super(message);
  }
}

/** Bytes that are not the message, batch or id that they should be. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  constructor(readonly code: "TRUNCATED" | "BAD_LENGTH" | "BAD_ID", message: string) {
    super(message);
  }
}

/** Text that is not JSON as 5.5.0 reads it. `position` counts UTF-16 units from the start. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  readonly code = "BAD_JSON";
  constructor(message: string, readonly position: number) {
    super(`${message} at position ${position}`);
  }
}
