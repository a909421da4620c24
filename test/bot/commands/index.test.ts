import { expect, it } from "vitest";
import { COMMANDS } from "../../../src/bot/commands/index.js";

const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };

interface Node {
  readonly autocomplete?: boolean;
  readonly options?: readonly Node[];
}
const asksForChoices = ({ autocomplete = false, options = [] }: Node): boolean =>
  autocomplete || options.some(asksForChoices);

it.each([...COMMANDS])("/%s offers choices exactly if Discord is told that it does", (_, command) => {
  expect(command.complete !== undefined).toBe(asksForChoices(command.definition(LIMITS) as Node));
});
