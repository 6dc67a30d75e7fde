/** The command line of a simulation: so many seeds one after the other, whole or with a sabotage. */
import { hostPlatform } from "@rmq/platform";

/** What a seed ended with. */
export interface Outcome {
  readonly seed: number;
  /** The promise that was broken, or null. */
  readonly broken: string | null;
  /** Messages that the broker acknowledged and that had to be there. */
  readonly acknowledged: number;
  readonly crashes: number;
}

/** Runs `--seeds` histories from `--from` on, tells which broke, and exits with 1 when one did. */
export async function runSeeds<Sabotage>(
  fallback: number,
  sabotages: Readonly<Record<string, Sabotage>>,
  run: (seed: number, sabotage: Sabotage | undefined) => Promise<Outcome>,
): Promise<void> {
  const { process, clock } = hostPlatform();
  const option = (name: string, otherwise: string): string => {
    const at = process.args.indexOf(`--${name}`);
    return at < 0 ? otherwise : process.args[at + 1] ?? otherwise;
  };
  const from = Number(option("from", "1"));
  const count = Number(option("seeds", String(fallback)));
  const sabotage = sabotages[option("sabotage", "")];
  const beganUs = clock.monotonicUs();
  let failed = 0;
  let acknowledged = 0;
  let crashes = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await run(seed, sabotage);
    acknowledged += outcome.acknowledged;
    crashes += outcome.crashes;
    if (outcome.broken === null) continue;
    failed++;
    console.log(`seed ${seed}: ${outcome.broken}`);
  }
  const seconds = ((clock.monotonicUs() - beganUs) / 1e6).toFixed(0);
  console.log(`${count} seeds, ${crashes} crashes, ${acknowledged} messages kept: ${failed} broken (${seconds} s)`);
  process.exit(failed === 0 ? 0 : 1);
}
