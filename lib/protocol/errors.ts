/** What makes a frame unreadable. Apache closes the connection on each of them, without an answer. */
export type FrameErrorCode = "FRAME_TOO_LONG" | "FRAME_TOO_SHORT" | "BAD_HEADER" | "BAD_SERIALIZE_TYPE";

/** A frame that cannot be read; the connection must be closed (remoting sheet §1). */
export class FrameError extends Error {
  /** Class name. */
  override readonly name = "FrameError";
  /** Made where the input is read. */
  constructor(readonly code: FrameErrorCode, message: string) {
    super(message);
  }
}

/** A header field whose text is not a number that Java would accept, or not a safe integer. Answered with code 1. */
export class HeaderFieldError extends Error {
  /** Class name. */
  override readonly name = "HeaderFieldError";
  /** Stable code. */
  readonly code = "BAD_FIELD";
  /** Made where the input is read. */
  constructor(readonly field: string, message: string) {
    super(message);
  }
}

/** Bytes that are not the message, batch or id that they should be. */
export class FormatError extends Error {
  /** Class name. */
  override readonly name = "FormatError";
  /** Made where the input is read. */
  constructor(readonly code: "TRUNCATED" | "BAD_LENGTH" | "BAD_ID", message: string) {
    super(message);
  }
}

/** Text that is not JSON as 5.5.0 reads it. `position` counts UTF-16 units from the start. */
export class JsonError extends Error {
  /** Class name. */
  override readonly name = "JsonError";
  /** Stable code. */
  readonly code = "BAD_JSON";
  /** Made where the input is read. */
  constructor(message: string, readonly position: number) {
    super(`${message} at position ${position}`);
  }
}
