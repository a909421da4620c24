import { createRequire } from "node:module";

const manifest = createRequire(import.meta.url)("../../package.json") as { name: string; version: string };

/** The program's version, from package.json. */
export const VERSION = manifest.version;

/** Name and version of the program, as they stand in a picture's metadata. */
export const PROGRAM = `${manifest.name} ${manifest.version}`;
