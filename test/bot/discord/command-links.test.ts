import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ApplicationCommandOptionType as Option, ApplicationCommandType as Type } from "discord.js";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/bot/commands/index.js";
import { CommandLinks } from "../../../src/bot/discord/command-links.js";
import { codeBlock, escapeMarkdown } from "../../../src/bot/discord/markdown.js";
import { startWorld } from "../../support/bot-world.js";

const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };

const links = new CommandLinks();
links.learn([
  { id: "11", type: Type.ChatInput, name: "show" },
  {
    id: "12",
    type: Type.ChatInput,
    name: "settings",
    options: [{ type: Option.Subcommand, name: "ping", description: "…" }],
  },
  { id: "13", type: Type.Message, name: "Optimize this" },
]);

describe("a command in code", () => {
  it.each([
    ["Use `/show`.", "Use </show:11>."],
    ["`/settings ping` and `/show`", "</settings ping:12> and </show:11>"],
    ["`/show id:abc part:2` brings it", "</show:11> `id:abc part:2` brings it"],
    ["`/settings ping on:True`", "</settings ping:12> `on:True`"],
  ])("becomes a link: %s", (text, linked) => expect(links.link(text)).toBe(linked));

  it.each([
    ["`/unknown` and /show"],
    // Only its subcommands can be used.
    ["`/settings` alone"],
    ["```\n`/show`\n```"],
    ["``/show``"],
    [codeBlock("type `/show` now", 100)],
    [escapeMarkdown("type `/show` now")],
  ])("stays as it is where it is none of ours, or a person's own text: %s", (text) =>
    expect(links.link(text)).toBe(text),
  );

  it("stays as it is until the commands are registered", () =>
    expect(new CommandLinks().link("`/show`")).toBe("`/show`"));
});

describe("a message", () => {
  const body = (text: string) => ({
    content: text,
    embeds: [{ title: text, description: text, fields: [{ name: text, value: text }] }],
    components: [
      { type: 17, components: [{ type: 10, content: text }] },
      { type: 1, components: [{ type: 2, label: text }] },
    ],
    attachments: [{ id: "0", description: text }],
  });
  const linked = (text: string, link: string) => ({
    content: link,
    embeds: [{ title: text, description: link, fields: [{ name: text, value: link }] }],
    components: [
      { type: 17, components: [{ type: 10, content: link }] },
      { type: 1, components: [{ type: 2, label: text }] },
    ],
    attachments: [{ id: "0", description: text }],
  });

  it("has links where Discord shows them, and nowhere else", () => {
    expect(links.body(body("`/show`"))).toEqual(linked("`/show`", "</show:11>"));
    expect(links.body({ type: 4, data: body("`/show`") })).toEqual({
      type: 4,
      data: linked("`/show`", "</show:11>"),
    });
  });

  it("keeps plain names where links would make it longer than Discord takes", () => {
    const text = `${"x".repeat(1990)} \`/show\``;
    expect(links.body({ content: text })).toEqual({ content: text });
    const fits = "x".repeat(1985);
    expect(links.body({ content: `${fits} \`/show\`` })).toEqual({ content: `${fits} </show:11>` });
    const embeds = ["a", "b"].map((sign) => ({ description: `${sign.repeat(2990)} \`/show\`` }));
    expect(links.body({ embeds })).toEqual({ embeds });
  });
});

/** Commands as they are used: a subcommand is one. */
const used = [...COMMANDS].flatMap(([name, { definition }]) => {
  const { options = [] } = definition(LIMITS) as { options?: { type: number; name: string }[] };
  const nested = options.filter(({ type }) => type === Option.Subcommand).map((it) => `${name} ${it.name}`);
  return nested.length === 0 ? [name] : nested;
});

it("every command that a sentence names can be used as it is written there", () => {
  const words = join(import.meta.dirname, "..", "..", "..", "src", "bot", "words");
  const named = readdirSync(words, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|json)$/.test(file))
    .flatMap((file) => {
      // A doc comment may speak of a command with subcommands.
      const source = readFileSync(join(words, file), "utf8").replace(/\/\*\*[\s\S]*?\*\//g, "");
      return [...source.matchAll(/`\/([a-z]+(?: [a-z]+)*)(?=[ `\\])(?! *:)/g)].map((match) => match[1]!);
    })
    .map((name) => name.replace(/ [a-z]+$/, (last) => (used.includes(name) ? last : "")));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !used.includes(name))).toEqual([]);
});

describe("with a registered bot", () => {
  it("/help links every command that it names by its id, and names the message menus", async () => {
    const { local, problems } = await startWorld();
    const { message } = await local.member("bob").slash("help");
    const text = message?.embeds[0]?.description ?? "";
    const ids = new Map([...local.state.commands.values()].map(({ id, name }) => [name, id]));
    const found = [...text.matchAll(/<\/([a-z ]+):(\d+)>/g)].map(([, name, id]) => ({ name, id }));
    expect(found.length).toBeGreaterThan(8);
    for (const { name, id } of found) {
      expect(used).toContain(name);
      expect(id).toBe(ids.get(name!.split(" ")[0]!));
    }
    expect(text).not.toMatch(/`\//);
    expect(text).toContain("Optimize this");
    expect(text).toContain("Compare this");
    // A screen of a phone has about 45 letters a line and room for 25 lines.
    const shown = text.replaceAll(/<\/([a-z ]+):\d+>/g, "/$1").split("\n");
    const lines = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 45)), 0);
    expect(lines).toBeLessThanOrEqual(25);
    expect(problems).toEqual([]);
  });

  it("a later message of a job links, too", async () => {
    const { local, loop } = await startWorld();
    const alice = local.member("alice");
    const handle = await alice.slash("optimize", { prompt: "type `/help` here" });
    const waiting = await handle.waitFor((m) => m.components.length > 0);
    expect(waiting.embeds[0]?.description).not.toMatch(/<\/help/);
    const show = await alice.slash("show", { id: (await loop.claim("text")).job.id });
    expect(show.message?.content).toMatch(/<\/queue:\d+>/);
  });
});
