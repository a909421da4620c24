import { miniatureLine } from "../bot/words/english/result.js";
import type { Config } from "../config.js";
import { codeOf, describe } from "../core/errors.js";
import { createEvents, type Events, log } from "../core/events.js";
import { PHASES } from "../core/job.js";
import { redactor } from "../core/redact.js";
import { unsupportedNode } from "../core/version.js";
import { miniaturePhases, uncheckedNote } from "../inference/loop/model-choice.js";
import { createWorkerHost } from "../main/worker.js";
import { createApp } from "../main.js";

/** Upper bound for the whole stop; every part also bounds its own. */
const STOP_MS = 4_800;

const NETWORK_CODES =
  /^(ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|ENETUNREACH|ENETDOWN|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/**
 * True for a network error that nobody listens for: when discord.js (14.28) gives up a gateway connection
 * that is still connecting, it removes the listeners, so the connection's last error goes unhandled. It is
 * harmless: a new connection is already being made.
 */
function isStrayNetworkError(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return error instanceof Error && syscall !== undefined && NETWORK_CODES.test(code ?? "");
}

/** The bot or a worker, as it runs. */
interface Running {
  /** What it says when it is ready. */
  readonly lines: readonly string[];
  /** Finishes what is being made, for as long as that takes. */
  drain?(): Promise<void>;
  /** Gives back what is being made. */
  stop(): Promise<void>;
}

interface Ends {
  readonly events: Events;
  /** Ends the program with an exit code, after it has given back what is being made, or at once. */
  readonly shutDown: (exitCode: number) => void;
}

/**
 * `promptist start` and `promptist worker`: runs the program until it is told to stop. A worker first finishes what is
 * being made; a second signal stops it, and one more stops anything at once.
 */
export async function start(config: Config): Promise<void> {
  // Pictures and graphs are also private to this user; workers inherit the mask.
  process.umask(0o077);
  const events = createEvents();
  let app: Running | null = null;
  let stopping = false;
  const shutDown = (exitCode: number) => {
    if (stopping || app === null) process.exit(1);
    stopping = true;
    setTimeout(() => {
      process.stderr.write(
        "Not everything could be stopped in time. Open jobs continue at the next start.\n",
      );
      process.exit(exitCode);
    }, STOP_MS);
    app.stop().then(
      () => process.exit(exitCode),
      (error) => {
        process.stderr.write(`${redactor([config.DISCORD_TOKEN])(describe(error))}\n`);
        process.exit(1);
      },
    );
  };
  const onBug = (error: unknown) => {
    if (isStrayNetworkError(error)) {
      log(events, "warn", `a connection that was given up: ${describe(error)}`);
      return;
    }
    log(events, "error", `unexpected (${codeOf(error)}): ${describe(error)}`, error);
    shutDown(1);
  };
  // Before anything can fail: a part may throw while the next one starts.
  process.on("uncaughtException", onBug);
  process.on("unhandledRejection", onBug);

  app = await (config.ROLE === "worker" ? openWorker : openBot)(config, { events, shutDown });
  process.stdout.write(`${app.lines.join("\n")}\n`);

  let drained: Promise<void> | undefined;
  const onSignal = () => {
    const drain = app?.drain?.bind(app);
    if (drain !== undefined && drained === undefined && !stopping) {
      process.stdout.write("Finishing what is being made. Press Ctrl+C again to give it back.\n");
      drained = drain().then(() => shutDown(0), onBug);
      return;
    }
    if (!stopping) process.stdout.write("Stopping. Press Ctrl+C again to stop at once.\n");
    shutDown(0);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

async function openWorker(config: Config, { events, shutDown }: Ends): Promise<Running> {
  const worker = await createWorkerHost(config, { events, onEnd: () => shutDown(1) });
  return {
    lines: [
      `The worker is ready: ${worker.description}.`,
      "Ctrl+C lets it finish what is being made; everything else goes on elsewhere.",
    ],
    drain: () => worker.drain(),
    stop: () => worker.stop(),
  };
}

const STANDBY = `Another bot works on this database. This one is its standby: it sends nothing and draws nothing, and takes over
within 10 seconds of the other one's end. If that is not what you want, press Ctrl+C.`;

async function openBot(config: Config, { events, shutDown }: Ends): Promise<Running> {
  // The log has the reason. Waiting jobs are safe, but nothing can run until the operator fixes it.
  const onRefused = () => shutDown(1);
  // At once: what a slow stop still sends to Discord would overwrite the other program's messages.
  const onTaken = () => process.exit(1);
  const waiting = new AbortController();
  const endWait = () => waiting.abort();
  events.on("bot.standby", ({ isWaiting }) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process[isWaiting ? "once" : "off"](signal, endWait);
    process.stdout.write(isWaiting ? `${STANDBY}\n` : "The other bot has ended; this one takes over.\n");
  });
  const app = await createApp(config, { events, onRefused, onTaken, signal: waiting.signal }).catch(
    (error: unknown) => {
      if (waiting.signal.aborted) process.exit(0);
      throw error;
    },
  );
  const { local, panelUrl, choice } = app;
  const note = miniatureLine(miniaturePhases(choice, PHASES));
  const unchecked = uncheckedNote(choice);
  const oldNode = unsupportedNode();
  const lines = [
    `${app.userTag} is ready: /optimize, /compare and /batch.`,
    local
      ? `No DISCORD_TOKEN, so a local Discord runs here. Open  ${local.url}  and type  /compare prompt:A cat in the rain`
      : `Invite it to a server: ${app.inviteUrl}`,
    ...(panelUrl ? [`Operator's panel: ${panelUrl}`] : []),
    ...(note ? [`Pictures are ${note}.`] : []),
    ...(unchecked ? [`${unchecked}.`] : []),
    ...(oldNode ? [`${oldNode}.`] : []),
    "Ctrl+C stops it. Open jobs continue at the next start.",
  ];
  return { lines, stop: () => app.stop() };
}
