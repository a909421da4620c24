/**
 * With --smoke, a bench does each of its steps with little work and holds nothing to its goals, so that CI
 * can try in seconds that it runs: test/e2e/benches.test.ts.
 */
export const SMOKE = process.argv.includes("--smoke");

/** The bench's other arguments. */
export const args = process.argv.slice(2).filter((arg) => arg !== "--smoke");
