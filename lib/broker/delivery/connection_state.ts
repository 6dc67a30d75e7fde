import type { RemotingConnection } from "@rmq/remoting";
import { AnswerHold } from "./answer_hold.ts";
import type { ParkedPull } from "./parked_pulls.ts";
import { hostBytes } from "./host_bytes.ts";

/** What the broker keeps for each connection; lives in `connection.attachment`. */
export class ConnectionState {
  /** Address of the client as messages store it: 4 or 16 bytes. */
  readonly bornHost: Uint8Array;
  readonly bornPort: number;
  /** Answers of sends that wait for their messages to become durable. */
  readonly hold: AnswerHold;
  readonly pulls: Set<ParkedPull> = new Set();
  /** Bytes of the replies (326) that were pushed to it and are not accepted yet. */
  unacceptedReplies = 0;

  constructor(readonly connection: RemotingConnection) {
    const from = connection.proxied ?? connection.remote;
    this.bornHost = hostBytes(from.host);
    this.bornPort = from.port;
    this.hold = new AnswerHold(connection);
  }
}

/** The state of `connection`, made when it is first asked for. */
export function stateOf(connection: RemotingConnection): ConnectionState {
  const known = connection.attachment;
  if (known instanceof ConnectionState) return known;
  const made = new ConnectionState(connection);
  connection.attachment = made;
  return made;
}
