import type { Places } from "../../checkpoints/layouts/catalog.js";
import type { Config } from "../../config.js";

/** Where the configuration has models besides CHECKPOINTS_DIR. */
export const placesOf = ({ miniatureDir, hubCacheDir }: Config): Places => ({ miniatureDir, hubCacheDir });
