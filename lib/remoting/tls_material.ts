import type { Logger, Platform, TlsServerOptions } from "@rmq/platform";
import type { TlsSettings } from "./types.ts";

/** A server's certificate files, read again when they have changed (FileWatchService). */
export class TlsMaterial {
  readonly #platform: Platform;
  readonly #settings: TlsSettings;
  readonly #logger: Logger;
  #stamp = "";
  #options: TlsServerOptions | null = null;
  #complained = false;

  constructor(platform: Platform, settings: TlsSettings, logger: Logger) {
    this.#platform = platform;
    this.#settings = settings;
    this.#logger = logger;
  }

  /** What a handshake that begins now needs, or null when there is none; the reason is logged once. */
  current(): TlsServerOptions | null {
    const { certPath, keyPath, trustCertPath } = this.#settings;
    if (!certPath || !keyPath) {
      this.#complain("TLS connection closed: there is no certificate; set tls.server.certPath and tls.server.keyPath");
      return null;
    }
    const stamp = [certPath, keyPath, trustCertPath].map((path) => this.#stampOf(path)).join();
    if (stamp !== this.#stamp) this.#read(stamp, certPath, keyPath, trustCertPath ?? null);
    return this.#options;
  }

  #stampOf(path: string | null | undefined): string {
    const info = path ? this.#platform.files.stat(path) : null;
    return info === null ? "-" : `${info.modifiedMs}/${info.size}`;
  }

  /** A file that cannot be read leaves the certificate that was there: it may be half way through being replaced. */
  #read(stamp: string, certPath: string, keyPath: string, trustCertPath: string | null): void {
    const cert = this.#text(certPath);
    const key = this.#text(keyPath);
    const ca = trustCertPath === null ? undefined : this.#text(trustCertPath);
    if (cert === null || key === null || ca === null) return;
    const { clientAuth, keyPassword } = this.#settings;
    if (key.includes("ENCRYPTED") && !keyPassword) {
      this.#complain("TLS connection closed: the key is encrypted; set tls.server.keyPassword");
      return;
    }
    this.#options = {
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      ...(clientAuth === undefined ? {} : { clientAuth }),
      ...(keyPassword ? { keyPassword } : {}),
    };
    this.#stamp = stamp;
    this.#complained = false;
  }

  #text(path: string): string | null {
    try {
      const bytes = this.#platform.files.readWhole(path);
      if (bytes !== null) return new TextDecoder().decode(bytes);
      this.#complain("TLS certificate file does not exist", { path });
    } catch (error) {
      this.#complain("TLS certificate file cannot be read", { path, error: String(error) });
    }
    return null;
  }

  #complain(message: string, fields?: Record<string, unknown>): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#logger.warn(message, fields);
  }
}
