/** What we use of Bun's sockets, declared here so that the other runtimes' type checkers know it too. */
export interface BunSocket {
  data: SocketOwner;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Bytes that the kernel took; negative when the socket is closed. */
  write(bytes: Uint8Array): number;
  end(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  setNoDelay(on: boolean): void;
  upgradeTLS(options: {
    isServer: true;
    initialData: Uint8Array;
    data: SocketOwner;
    tls: Record<string, unknown>;
    socket: BunSocketHandlers;
  }): unknown;
}

/** Whoever gets a socket's events at the moment. */
export interface SocketOwner {
  received(chunk: Uint8Array): void;
  drained(): void;
  failed(error: Error): void;
  closed(error?: Error): void;
  /** End of a TLS handshake. */
  handshaken?(socket: BunSocket, complete: boolean, error: Error | null): void;
}

/** Bun's event functions of all sockets of one kind. */
export interface BunSocketHandlers {
  open(socket: BunSocket): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  error(socket: BunSocket, error: Error): void;
  close(socket: BunSocket, error?: Error): void;
  handshake?(socket: BunSocket, complete: boolean, error: Error | null): void;
  connectError?(socket: BunSocket, error: Error): void;
}

/** Bun's functions that open sockets. */
export interface BunNames {
  listen(options: { hostname: string; port: number; backlog: number; socket: BunSocketHandlers }): BunListener;
  connect(
    options: { hostname: string; port: number; data?: SocketOwner; socket: BunSocketHandlers },
  ): Promise<BunSocket>;
}

/** A port that Bun listens on. */
export interface BunListener {
  readonly hostname: string;
  readonly port: number;
  /** True closes the accepted connections too. */
  stop(closeConnections: boolean): void;
}

/** Bun's global object. */
export function bunNames(): BunNames {
  return (globalThis as unknown as { Bun: BunNames }).Bun;
}

/** Takes no notice: for sockets that were given away or never had an owner. */
export const nobody: SocketOwner = { received: () => {}, drained: () => {}, failed: () => {}, closed: () => {} };

/**
 * Handlers that pass each event to the socket's owner; shared, so that an idle connection costs no closure. What the
 * owner throws is a bug and becomes an uncaught exception; Bun would take it for an error of the socket.
 */
export function passToOwner(open: (socket: BunSocket) => void): BunSocketHandlers {
  return {
    open: (socket) => {
      try {
        open(socket);
      } catch (error) {
        raise(error);
      }
    },
    data: (socket, chunk) => {
      try {
        socket.data.received(chunk);
      } catch (error) {
        raise(error);
      }
    },
    drain: (socket) => {
      try {
        socket.data.drained();
      } catch (error) {
        raise(error);
      }
    },
    error: (socket, error) => socket.data?.failed(error),
    close: (socket, error) => {
      try {
        socket.data?.closed(error);
      } catch (failure) {
        raise(failure);
      }
    },
    handshake: (socket, complete, error) => {
      try {
        socket.data.handshaken?.(socket, complete, error);
      } catch (failure) {
        raise(failure);
      }
    },
  };
}

function raise(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
