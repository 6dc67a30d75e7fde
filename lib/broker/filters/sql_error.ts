/** Why a filter expression is refused. */
export class SqlError extends Error {
  /** Always this. */
  override readonly name = "SqlError";

  /** `message` says where and what; line and column count from 1, in UTF-16 units. */
  constructor(message: string, readonly line: number, readonly column: number) {
    super(`line ${line}, column ${column}: ${message}`);
  }
}

/** The error about what stands at `at` of `text`. */
export function errorAt(text: string, at: number, message: string): SqlError {
  let line = 1;
  let start = 0;
  for (let i = 0; i < at; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) {
      line++;
      start = i + 1;
    }
  }
  return new SqlError(message, line, at - start + 1);
}
