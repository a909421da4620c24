import { readFileSync } from "node:fs";
import { readPngText } from "../../src/pictures/png.js";

/** What a PNG of ours says of how it was drawn. */
export const ownText = (file: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readPngText(readFileSync(file)).promptist ?? "null");
