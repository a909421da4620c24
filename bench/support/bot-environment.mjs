import { fileURLToPath } from "node:url";

/**
 * Environment for a bot in its own process: the miniature on the CPU, connected to this process' local
 * Discord.
 */
export const botEnvironment = (local, dataDir, settings = {}) => ({
  ...process.env,
  DISCORD_TOKEN: local.token,
  DISCORD_API_URL: local.apiUrl,
  DATA_DIR: dataDir,
  CHECKPOINTS_DIR: fileURLToPath(new URL("../../checkpoints", import.meta.url)),
  DEVICE: "cpu",
  ...settings,
});

/** Settings that make a job cost next to nothing, for benches where only the number of jobs matters. */
export const QUICK_JOBS = {
  THREADS: "1",
  TEXT_MODE: "greedy",
  TEXT_MAX_NEW_TOKENS: "8",
  IMAGE_STEPS: "2",
};
