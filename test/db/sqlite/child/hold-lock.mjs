// Holds the instance lock of a data folder until it is killed. Arguments: folder of the compiled sources, data folder.
import { pathToFileURL } from "node:url";

const [sources, dataDir] = process.argv.slice(2);
const { lockInstance } = await import(pathToFileURL(`${sources}/db/sqlite/instance-lock.js`).href);
try {
  lockInstance(dataDir);
  // Nothing here refers to the lock any more: it must hold all the same (the test passes --expose-gc).
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.stdout.write("held\n");
  process.stdin.resume();
} catch (error) {
  process.stdout.write(`${error.code} ${error.message}\n`);
}
