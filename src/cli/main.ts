import { CommanderError } from "commander";
import { forgetSecrets, loadConfig } from "../config.js";
import { redactor } from "../core/redact.js";
import { outliveReaders } from "../core/standard-streams.js";
import { exitCodeOf } from "./parts/exit-code.js";
import { Output } from "./parts/output.js";
import { buildProgram } from "./program.js";

/** Parses the command line, runs one verb and sets the exit code (exit-code.ts): 0 only for success. */
async function main(argv: readonly string[]): Promise<void> {
  let secrets: string[] = [];
  try {
    const config = loadConfig();
    secrets = [config.DISCORD_TOKEN, config.HF_TOKEN];
    forgetSecrets();
    await buildProgram(config).parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    const output = new Output(argv.includes("--json"), redactor(secrets));
    // Commander has written its message already; asking for help is no error at all.
    if (!(error instanceof CommanderError)) output.fail(error);
    else if (process.exitCode !== 0) output.failure("INPUT_OPTION", error.message.replace(/^error: /, ""));
  }
}

outliveReaders();
await main(process.argv);
