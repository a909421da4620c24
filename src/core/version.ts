import { createRequire } from "node:module";

const manifest = createRequire(import.meta.url)("../../package.json") as { name: string; version: string };

/** The program's version, from package.json. */
export const VERSION = manifest.version;

/** Name and version of the program, as written to a picture's metadata. */
export const PROGRAM = `${manifest.name} ${manifest.version}`;

/** The version that the README recommends: the oldest with more than a year of support left. */
export const RECOMMENDED_NODE = 24;

/** When the Node project ends support for each version (nodejs/Release, schedule.json). */
const SUPPORT_ENDS: Readonly<Record<number, string>> = {
  20: "2026-04-30",
  21: "2024-06-01",
  22: "2027-04-30",
  23: "2025-06-01",
  24: "2028-04-30",
  25: "2026-06-01",
  26: "2029-04-30",
};

/** A warning if this version of Node no longer gets fixes; null if it does, or is newer than this program. */
export function unsupportedNode(
  version: string = process.versions.node,
  now: number = Date.now(),
): string | null {
  const ended = SUPPORT_ENDS[Number.parseInt(version, 10)];
  if (ended === undefined || now < Date.parse(ended)) return null;
  return `Node ${version} has had no security fixes since ${ended}; install Node ${RECOMMENDED_NODE}`;
}
