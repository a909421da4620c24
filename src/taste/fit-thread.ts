import { parentPort, workerData } from "node:worker_threads";
import { atOnce } from "../core/statistics/cholesky.js";
import { type FitTask, fitTaste } from "./fit.js";

/** Runs in the thread that fits what a server likes; see fits.ts. */
const fitted = atOnce(fitTaste(workerData as FitTask));
parentPort?.postMessage(fitted, [fitted.found.covariance.buffer as ArrayBuffer]);
