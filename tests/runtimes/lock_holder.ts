/** Takes the lock of the path that it is given, says so, and holds it until its input ends; started by `lock_test.ts`. */
import process from "node:process";
import { hostPlatform, PlatformError } from "@rmq/platform";

const { files } = hostPlatform();
try {
  const lock = files.lock(process.argv[2], "lock");
  console.log("held");
  process.stdin.resume();
  process.stdin.on("end", () => lock.release());
} catch (error) {
  if (!(error instanceof PlatformError) || error.code !== "ELOCKED") throw error;
  console.log("refused");
}
