/** What `calculate` takes on the machine that the tests' limits were set on, in milliseconds. */
const REFERENCE_MS = 1.5;
const MEASURE_MS = 50;

/** Strings, a map and a sort: what most of the program is made of. */
function calculate(): number {
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const word = `w${(i * 7919) % 997}`;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).join().length;
}

/**
 * A limit in milliseconds for this machine, as busy as it is now: longer by the factor that a fixed calculation takes
 * longer than where the limit was set, and never shorter than `limitMs`.
 */
export function within(limitMs: number): number {
  const started = performance.now();
  let runs = 0;
  let took = 0;
  do {
    calculate();
    runs++;
    took = performance.now() - started;
  } while (took < MEASURE_MS);
  return limitMs * Math.max(1, took / runs / REFERENCE_MS);
}
