import type { Command, Option } from "commander";
import { describe, expect, test } from "vitest";
import { EXIT, exitCodeOf } from "../../src/cli/parts/exit-code.js";
import { buildProgram } from "../../src/cli/program.js";
import { loadConfig } from "../../src/config.js";
import { CheckpointError, InputError } from "../../src/core/errors.js";
import { temporaryFolder } from "../support/app.js";

/** What every verb has in common, for all verbs that there are. */

const folder = temporaryFolder();
const config = loadConfig({}, folder.path);
folder.remove();

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
const pathOf = (command: Command): string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];
const verbs = leaves(buildProgram(config)).map((command) => ({ name: pathOf(command).join(" "), command }));

/** The exit code of a command line that must not get as far as running, and what was said about it. */
async function refused(line: readonly string[]): Promise<{ code: number; said: string }> {
  let said = "";
  const program = buildProgram(config);
  const listen = (command: Command): void => {
    command.configureOutput({
      writeErr: (text) => {
        said += text;
      },
    });
    command.action(() => {
      throw new Error(`ran: ${line.join(" ")}`);
    });
    command.commands.forEach(listen);
  };
  leaves(program).forEach(listen);
  program.configureOutput({
    writeErr: (text) => {
      said += text;
    },
  });
  const error = await program.parseAsync(["node", "promptist", ...line]).catch((thrown: unknown) => thrown);
  expect((error as Error).message).not.toMatch(/^ran/);
  return { code: exitCodeOf(error), said };
}

/** A command line that is right so far: its arguments and the options without which it is refused. */
const rightLine = (command: Command): string[] => [
  ...pathOf(command),
  ...command.registeredArguments.filter(({ required }) => required).map(() => "x"),
  ...command.options.filter(({ mandatory }) => mandatory).flatMap(({ long }) => [long!, "x"]),
];

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help;
}

/** A value that the option can't take, if it looks at it. */
function wrongValue({ argChoices, parseArg, long }: Option): string | null {
  if (argChoices !== undefined) return "nonsense";
  if (parseArg === undefined) return null;
  // What is named may be on this machine, which only the verb finds out (checkpoints.test.ts).
  if (long === "--embedding") return " ";
  return long === "--lora" ? "style.safetensors:99" : "nonsense";
}

test("there are the verbs that the documents name", () => {
  expect(verbs.map(({ name }) => name)).toEqual([
    "optimize",
    "generate",
    "compare",
    "batch",
    "evaluate",
    "grid",
    "score",
    "upscale",
    "info",
    "verify",
    "doctor",
    "bench",
    "styles",
    "backup",
    "db copy",
    "checkpoints list",
    "checkpoints pull",
    "checkpoints check",
    "checkpoints compile",
    "checkpoints synthesize",
    "local-discord",
    "start",
    "worker",
  ]);
});

describe.each(verbs)("$name", ({ name, command }) => {
  test("--help shows an example of it, and no value that only a programmer can read", () => {
    const help = helpOf(command);
    const [, examples = ""] = help.split("Examples:\n");
    expect(examples).toContain(`promptist ${name}`);
    for (const line of examples.trimEnd().split("\n")) expect(line).toMatch(/^ {2}(\w+=\S+ )?promptist /);
    expect(help).not.toMatch(/\[\]|undefined|null/);
  });

  test("every example is a command line that it takes", async () => {
    const help = helpOf(command);
    const lines = help.split("Examples:\n")[1]!.trimEnd().split("\n");
    for (const line of lines) {
      const words = [.../promptist (.+)$/.exec(line)![1]!.matchAll(/"([^"]*)"|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain!,
      );
      const program = buildProgram(config);
      let ran = false;
      for (const leaf of leaves(program))
        leaf.action(() => {
          ran = true;
        });
      await program.parseAsync(["node", "promptist", ...words]);
      expect(ran, line).toBe(true);
    }
  });

  test("wrong usage ends with exit code 2", async () => {
    const right = rightLine(command);
    expect(await refused([...right, "--no-such-option"])).toEqual({
      code: EXIT.usage,
      said: expect.stringContaining("unknown option"),
    });
    const isVariadic = command.registeredArguments.some(({ variadic }) => variadic);
    if (!isVariadic) expect((await refused([...right, "one", "too", "many"])).code).toBe(EXIT.usage);
    if (right.length > pathOf(command).length)
      expect(await refused(pathOf(command))).toEqual({
        code: EXIT.usage,
        said: expect.stringMatching(/missing required argument|required option/),
      });
    for (const option of command.options) {
      const value = wrongValue(option);
      if (value === null) continue;
      expect(await refused([...right, option.long!, value]), option.flags).toEqual({
        code: EXIT.usage,
        said: expect.stringContaining(option.long!),
      });
    }
  });
});

test("no verb and an unknown verb are wrong usage; --help and --version are not", async () => {
  for (const [line, code] of [
    [[], EXIT.usage],
    [["paint"], EXIT.usage],
    [["checkpoints"], EXIT.usage],
  ] as const)
    expect((await refused(line)).code, line.join(" ")).toBe(code);
  for (const line of [["--help"], ["--version"], ["optimize", "--help"]]) {
    const program = buildProgram(config);
    for (const command of [program, ...leaves(program)]) command.configureOutput({ writeOut: () => {} });
    const error = await program.parseAsync(["node", "promptist", ...line]).catch((thrown: unknown) => thrown);
    expect(exitCodeOf(error), line.join(" ")).toBe(EXIT.done);
  }
});

test("what a verb throws is a failure, unless the command line or .env cannot be used as written", () => {
  for (const [error, code] of [
    [new InputError("INPUT_EMPTY", ""), EXIT.usage],
    [new InputError("INPUT_OPTION", ""), EXIT.usage],
    [new InputError("INPUT_TOO_LONG", ""), EXIT.usage],
    [new InputError("GRID_VALUE", ""), EXIT.usage],
    [new InputError("CONFIG", ""), EXIT.usage],
    [new InputError("FILE_UNREACHABLE", ""), EXIT.failed],
    [new CheckpointError("CHECKPOINT_MISSING", ""), EXIT.failed],
    [Object.assign(new Error("taken"), { code: "EADDRINUSE" }), EXIT.failed],
    [new Error("a bug"), EXIT.failed],
  ] as const)
    expect(exitCodeOf(error), String(error)).toBe(code);
});
