import { miniatureLine } from "../bot/words/english/result.js";
import type { Config } from "../config.js";
import { codeOf, describe } from "../core/errors.js";
import { createEvents, log } from "../core/events.js";
import { PHASES } from "../core/job.js";
import { redactor } from "../core/redact.js";
import { unsupportedNode } from "../core/version.js";
import { miniaturePhases, uncheckedNote } from "../inference/loop/model-choice.js";
import { type App, createApp } from "../main.js";

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

/** `promptist start`: runs the program until it is told to stop; a second signal stops it at once. */
export async function start(config: Config): Promise<void> {
  // Pictures and graphs are also private to this user; workers inherit the mask.
  process.umask(0o077);
  const events = createEvents();
  let app: App | null = null;
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

  // The log has the reason. Waiting jobs are safe, but nothing can run until the operator fixes it.
  const onRefused = () => shutDown(1);
  // At once: what a slow stop still sends to Discord would overwrite the other program's messages.
  const onTaken = () => process.exit(1);
  app = await createApp(config, { events, onRefused, onTaken });
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
  process.stdout.write(`${lines.join("\n")}\n`);

  const onSignal = () => {
    if (!stopping) process.stdout.write("Stopping. Press Ctrl+C again to stop at once.\n");
    shutDown(0);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}
