import { fileURLToPath } from "node:url";

/** The environment of a bot in a process of its own: the miniature on the CPU, connected to a local Discord that lives here. */
export const botEnvironment = (local, dataDir, settings = {}) => ({
  ...process.env,
  DISCORD_TOKEN: local.token,
  DISCORD_API_URL: local.apiUrl,
  DATA_DIR: dataDir,
  CHECKPOINTS_DIR: fileURLToPath(new URL("../../checkpoints", import.meta.url)),
  DEVICE: "cpu",
  ...settings,
});

/** Settings with which a job costs next to nothing, where it matters how many there are. */
export const QUICK_JOBS = {
  THREADS: "1",
  TEXT_MODE: "greedy",
  TEXT_MAX_NEW_TOKENS: "8",
  IMAGE_STEPS: "2",
};
