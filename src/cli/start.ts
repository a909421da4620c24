import { miniatureLine } from "../bot/words/result.js";
import type { Config } from "../config.js";
import { codeOf, describe } from "../core/errors.js";
import { redactor } from "../core/redact.js";
import { unsupportedNode } from "../core/version.js";
import { miniaturePhases, uncheckedNote } from "../inference/loop/model-choice.js";
import { createApp } from "../main.js";

/** Every part bounds its own stop; this is the bound of them all. */
const STOP_MS = 4_800;

const NETWORK_CODES =
  /^(ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|ENETUNREACH|ENETDOWN|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/**
 * discord.js (14.28) takes the listeners off a gateway connection that it gives up while it still connects, and the error
 * that such a connection ends with has then nobody to go to. It harms nothing: a new connection is being made already.
 */
function isStrayNetworkError(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return error instanceof Error && syscall !== undefined && NETWORK_CODES.test(code ?? "");
}

/** `promptist start`: runs the program until it is told to stop; a second signal stops it at once. */
export async function start(config: Config): Promise<void> {
  // Pictures and graphs too are for nobody else; the workers inherit it.
  process.umask(0o077);
  let refused: () => void = () => {};
  const app = await createApp(config, { onRefused: () => refused() });
  const { local, choice } = app;
  const note = miniatureLine(miniaturePhases(choice, ["text", "image"]));
  const unchecked = uncheckedNote(choice);
  const oldNode = unsupportedNode();
  const lines = [
    `${app.userTag} is ready: /optimize, /compare and /batch.`,
    local
      ? `No DISCORD_TOKEN, so a local Discord runs here. Open  ${local.url}  and type  /compare prompt:A cat in the rain`
      : `Invite it to a server: ${app.inviteUrl}`,
    ...(note ? [`Pictures are ${note}.`] : []),
    ...(unchecked ? [`${unchecked}.`] : []),
    ...(oldNode ? [`${oldNode}.`] : []),
    "Ctrl+C stops it; what waits or runs goes on at the next start.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);

  let stopping = false;
  const shutDown = (exitCode: number) => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => {
      process.stderr.write("Not everything could be stopped in time; it goes on at the next start.\n");
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
  // The log has said why; what waits is safe, and nothing can be done before someone has seen to it.
  refused = () => shutDown(1);
  const onSignal = () => {
    if (!stopping) process.stdout.write("Stopping; once more to stop at once.\n");
    shutDown(0);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const onBug = (error: unknown) => {
    if (isStrayNetworkError(error)) {
      app.events.emit("log", {
        level: "warn",
        message: `a connection that was given up: ${describe(error)}`,
      });
      return;
    }
    app.events.emit("log", {
      level: "error",
      message: `unexpected (${codeOf(error)}): ${describe(error)}`,
      error,
    });
    shutDown(1);
  };
  process.on("uncaughtException", onBug);
  process.on("unhandledRejection", onBug);
}
