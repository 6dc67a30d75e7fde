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
    if (!certPath || !keyPath) return this.#options ??= this.#selfSigned();
    const stamp = [certPath, keyPath, trustCertPath].map((path) => this.#stampOf(path)).join();
    if (stamp !== this.#stamp) this.#read(stamp, certPath, keyPath, trustCertPath ?? null);
    return this.#options;
  }

  /** Apache's test mode encrypts without proving who the server is. */
  #selfSigned(): TlsServerOptions | null {
    const { certificates } = this.#platform;
    if (this.#settings.testMode === false || certificates === undefined) {
      this.#complain("TLS connection closed: there is no certificate; set tls.server.certPath and tls.server.keyPath");
      return null;
    }
    this.#logger.warn(
      "TLS with a self-signed certificate; set tls.server.certPath and tls.server.keyPath for a real one",
    );
    return certificates.selfSigned("localhost");
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
    const { clientAuth } = this.#settings;
    const clear = this.#inTheClear(key);
    if (clear === null) return;
    this.#options = {
      cert,
      key: clear,
      ...(ca === undefined ? {} : { ca }),
      ...(clientAuth === undefined ? {} : { clientAuth }),
    };
    this.#stamp = stamp;
    this.#complained = false;
  }

  #inTheClear(key: string): string | null {
    if (!key.includes("ENCRYPTED")) return key;
    const { keyPassword } = this.#settings;
    try {
      if (keyPassword) return this.#platform.certificates?.decryptKey(key, keyPassword) ?? null;
      this.#complain("TLS connection closed: the key is encrypted; set tls.server.keyPassword");
    } catch (error) {
      this.#complain("TLS connection closed: tls.server.keyPassword does not open the key", { error: String(error) });
    }
    return null;
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
