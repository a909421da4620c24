// Writes .env.example from the settings in src/config.ts (run after `npm run build`).
import { writeFileSync } from "node:fs";
import { envExample } from "../dist/config.js";

writeFileSync(new URL("../.env.example", import.meta.url), envExample());
