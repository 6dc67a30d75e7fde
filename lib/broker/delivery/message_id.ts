/** Physical offset (bytes into the commit log) that an offsetMsgId names: its last 16 hex digits (storage sheet §3.4). */
export function physicalOffsetOfMessageId(id: string): number {
  return parseInt(id.slice(-16, -8), 16) * 0x1_0000_0000 + parseInt(id.slice(-8), 16);
}
