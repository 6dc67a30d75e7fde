/** A child process of the gate: bounded in time, its output kept and shown only when it matters. */
export interface ChildResult {
  readonly code: number;
  /** Standard output and error, in the order in which they came. */
  readonly output: string;
  readonly timedOut: boolean;
}

/** Runs a command in the repository's root. Beyond `limitSeconds` it is ended and counts as failed. */
export async function runChild(command: string, args: string[], limitSeconds: number): Promise<ChildResult> {
  const child = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let timedOut = false;
  const stop = setTimeout(() => {
    timedOut = true;
    kill(child, "SIGTERM");
  }, limitSeconds * 1000);
  const stopHard = setTimeout(() => kill(child, "SIGKILL"), (limitSeconds + 5) * 1000);
  const parts: string[] = [];
  await Promise.all([gather(child.stdout, parts), gather(child.stderr, parts)]);
  const { code } = await child.status;
  clearTimeout(stop);
  clearTimeout(stopHard);
  if (timedOut) parts.push(`\nended after ${limitSeconds} s\n`);
  return { code: timedOut && code === 0 ? 1 : code, output: parts.join(""), timedOut };
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It ended by itself in this very moment.
  }
}

async function gather(stream: ReadableStream<Uint8Array>, parts: string[]): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) parts.push(text);
}
