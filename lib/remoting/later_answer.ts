import type { Answer, Header } from "@rmq/protocol";
import type { Later, RemotingConnection } from "./types.ts";

/** A request that is answered after its handler returned. */
export class LaterAnswer implements Later {
  readonly connection: RemotingConnection;
  readonly opaque: number;
  readonly oneway: boolean;
  #answered: boolean;

  constructor(connection: RemotingConnection, header: Header) {
    this.connection = connection;
    this.opaque = header.opaque;
    this.#answered = this.oneway = header.isOneway;
  }

  answer(answer: Answer): void {
    if (this.#answered) return;
    this.#answered = true;
    this.connection.answer(this.opaque, answer);
  }
}
