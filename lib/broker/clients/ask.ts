import { type PeerRequest, type RemotingConnection, RemotingError, type Response } from "@rmq/remoting";

/** What came of a question: the client's answer, or why there is none (`TIMEOUT`, `CLOSED`, `TOO_MANY_PENDING`). */
export type Asked =
  | { readonly response: Response; readonly failure: null }
  | { readonly response: null; readonly failure: RemotingError };

/** How long a client may take to answer what was forwarded to it, ms (`Broker2Client.callClient`). */
export const FORWARD_TIMEOUT_MS = 10_000;

/**
 * Requests of the broker to its clients that are answered (221, 307, 309, 326), over the connections that the clients
 * opened (`Broker2Client`). How many wait at once is bounded for the whole broker: each may bring a large answer.
 */
export class ClientAsks {
  #waiting = 0;

  /** `limit`: questions that may wait for an answer (`maxClientAsks`). */
  constructor(readonly limit: number) {}

  /** Questions that wait for an answer now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Asks the client behind `connection`; never rejects. A connection that closes ends the question at once. */
  async ask(connection: RemotingConnection, request: PeerRequest, timeoutMs: number): Promise<Asked> {
    if (this.#waiting >= this.limit) {
      const message = `${this.#waiting} questions to clients wait for their answers (maxClientAsks)`;
      return { response: null, failure: new RemotingError("TOO_MANY_PENDING", message, true) };
    }
    this.#waiting++;
    try {
      return { response: await connection.request(request, timeoutMs), failure: null };
    } catch (error) {
      return { response: null, failure: asRemotingError(error) };
    } finally {
      this.#waiting--;
    }
  }
}

function asRemotingError(error: unknown): RemotingError {
  return error instanceof RemotingError ? error : new RemotingError("CLOSED", String(error), true);
}
