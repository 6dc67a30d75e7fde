/** The part of Bun's socket interface that the load uses; this bench runs on Bun only. */
export interface Wire {
  /** Takes as much as the kernel does now; answers how many bytes that was. */
  write(bytes: Uint8Array): number;
  end(): void;
}

export interface WireEvents {
  open?(wire: Wire): void;
  data(wire: Wire, chunk: Uint8Array): void;
  drain(wire: Wire): void;
  close?(wire: Wire): void;
  error?(wire: Wire, error: Error): void;
}

interface BunSockets {
  connect(options: { hostname: string; port: number; socket: WireEvents }): Promise<Wire>;
  listen(options: { hostname: string; port: number; socket: WireEvents }): { port: number };
}

const { Bun } = globalThis as unknown as { Bun?: BunSockets };

export function sockets(): BunSockets {
  if (!Bun) throw new Error("the load generator runs on Bun: bun bench/macro/load.ts");
  return Bun;
}
