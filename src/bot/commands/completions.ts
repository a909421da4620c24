import type { AutocompleteInteraction } from "discord.js";
import type { Job } from "../../core/job.js";
import { NO_REWRITER, nameOfStyle, REWRITERS, titleOf } from "../../core/rewriters.js";
import { speedsHere } from "../../core/speeds.js";
import { type Style, styleKey } from "../../core/styles.js";
import type { JobEntry } from "../../db/records.js";
import { clip } from "../discord/markdown.js";
import { offeredHere } from "../requests/models.js";
import { type CommandContext, speedsIn, usualImage } from "../requests/request.js";
import { contextOf, stylesHere } from "../requests/rules.js";
import { jobCompletion } from "../words/english/history.js";
import { wordsOf } from "../words/languages.js";
import { CHOICES_MAX, type Choice, type Services } from "./command.js";
import { completeSize } from "./options.js";

/** Discord: the most characters of a choice. */
const CHOICE_MAX = 100;

/**
 * For commands that make a request: sizes, styles, models, or the user's own recent prompts that contain what was typed, and
 * what the image model knows, where that is little.
 */
export async function completeRequest(
  interaction: AutocompleteInteraction,
  services: Services,
): Promise<readonly Choice[]> {
  const { records, context, styles, models, settings } = services;
  const { options, locale, user } = interaction;
  const { name, value } = options.getFocused(true);
  if (name === "speed") return speedChoices(interaction, value, services);
  if (name === "style") return styleChoices(await stylesHere(styles, interaction), value);
  if (name === "rewriter" || name === "against")
    return rewriterChoices(context, await stylesHere(styles, interaction), value);
  if (name === "model" || name === "lora") {
    const here = await offeredHere(models, await settings.resolve(interaction), interaction);
    return name === "model" ? nameChoices(here.models, value) : loraChoices(here.loras, value);
  }
  if (name === "size") return completeSize(value, locale, context.limits);
  const prompts = await records.recentPrompts(user.id, value, CHOICES_MAX);
  const known = services.subjects?.complete(value, CHOICES_MAX) ?? [];
  return [...new Set([...prompts, ...known])]
    .filter((prompt) => prompt.length <= CHOICE_MAX)
    .slice(0, CHOICES_MAX)
    .map((prompt) => ({ name: prompt, value: prompt }));
}

/** The names of the rewriters that are here, and `none`. */
export const rewritersHere = ({ rewriters }: Pick<CommandContext, "rewriters">): string[] => [
  ...REWRITERS.map(({ name }) => name).filter((name) => rewriters?.().includes(name) !== false),
  NO_REWRITER,
];

/**
 * The rewriters that are here, `none`, and styles in a rewriter's place, whose name contains the last of the names that
 * were typed; those before it stay.
 */
export function rewriterChoices(
  context: Pick<CommandContext, "rewriters">,
  styles: readonly Style[],
  typed: string,
): Choice[] {
  const at = typed.lastIndexOf(",") + 1;
  const [before, wanted] = [typed.slice(0, at), styleKey(typed.slice(at))];
  const all = [
    ...rewritersHere(context).map((name) => ({ name: titleOf(name), value: name })),
    ...styles.map(({ name }) => ({ name: nameOfStyle(name), value: nameOfStyle(name) })),
  ];
  return all
    .filter(({ name, value }) => [name, value].some((text) => styleKey(text).includes(wanted)))
    .map(({ name, value }) => ({ name: `${before}${name}`, value: `${before}${value}` }))
    .filter(({ name }) => name.length <= CHOICE_MAX)
    .slice(0, CHOICES_MAX);
}

/** The speeds that can be chosen in a channel, with what each stands for there. */
export async function speedChoices(
  interaction: AutocompleteInteraction,
  typed: string,
  { context, settings, models }: Services,
): Promise<readonly Choice[]> {
  const own = await settings.resolve(interaction);
  const here = contextOf(context, own, [], await offeredHere(models, own, interaction));
  const { resultLines } = wordsOf(interaction.locale);
  return speedsHere(speedsIn(here))
    .filter((speed) => speed.startsWith(typed.trim().toLowerCase()))
    .map((speed) => {
      const { steps, scheduler, loras: [lora] = [] } = usualImage(here, speed);
      const parts = [speed, resultLines.steps(steps), scheduler, ...(lora === undefined ? [] : [lora.name])];
      return { name: clip(parts.join(" · "), CHOICE_MAX), value: speed };
    });
}

/** Styles whose name or words contain what was typed; those whose name begins with it come first. */
export function styleChoices(styles: readonly Style[], typed: string): Choice[] {
  const wanted = styleKey(typed);
  const rank = ({ name, prompt }: Style) =>
    styleKey(name).startsWith(wanted)
      ? 0
      : styleKey(name).includes(wanted)
        ? 1
        : prompt.toLowerCase().includes(wanted)
          ? 2
          : 3;
  return [0, 1, 2].flatMap((at) =>
    styles
      .filter((style) => rank(style) === at)
      .map(({ name, prompt, negative }) => ({
        name: clip(`${name} · ${prompt || negative}`, CHOICE_MAX),
        value: name,
      })),
  );
}

/** Names that contain what was typed; those that begin with it come first. */
export function nameChoices(names: readonly string[], typed: string): Choice[] {
  const wanted = typed.trim().toLowerCase();
  const rank = (name: string) =>
    name.toLowerCase().startsWith(wanted) ? 0 : name.toLowerCase().includes(wanted) ? 1 : 2;
  return [0, 1].flatMap((at) =>
    names
      .filter((name) => rank(name) === at && name.length <= CHOICE_MAX)
      .map((name) => ({ name, value: name })),
  );
}

/** The same for the last name of a list with commas; a strength that was typed behind a name stays. */
export function loraChoices(names: readonly string[], typed: string): Choice[] {
  const [, before = "", last = "", strength = ""] = /^(.*,\s*)?([^,:]*)(:[^,]*)?$/s.exec(typed) ?? [];
  const taken = before
    .toLowerCase()
    .split(/[,:]/)
    .map((part) => part.trim());
  const left = names.filter((name) => !taken.includes(name.toLowerCase()));
  return nameChoices(left, last)
    .map(({ name }) => `${before}${name}${strength}`)
    .filter((text) => text.length <= CHOICE_MAX)
    .map((text) => ({ name: text, value: text }));
}

/** Ids of the user's own jobs whose prompt or id matches what was typed. */
export async function completeOwnJob(
  { options, locale, user }: AutocompleteInteraction,
  { records }: Services,
): Promise<readonly Choice[]> {
  return jobChoices(await records.recentJobs(user.id, options.getFocused().trim(), CHOICES_MAX), locale);
}

/** Ids of failed jobs whose prompt or id contains what was typed; none for anybody but an operator. */
export async function completeFailedJob(
  { options, locale, user }: AutocompleteInteraction,
  { records, operators }: Services,
): Promise<readonly Choice[]> {
  if (!(await operators()).includes(user.id)) return [];
  const wanted = options.getFocused().trim().toLowerCase();
  const failed = (await records.setAside(CHOICES_MAX)).map(entryOf);
  return jobChoices(
    failed.filter(({ id, prompt }) => `${id} ${prompt}`.toLowerCase().includes(wanted)),
    locale,
  );
}

/** Names of hosts that contain what was typed; none for anybody but an operator. */
export async function completeHost(
  { options, user }: AutocompleteInteraction,
  { fleet, operators }: Services,
): Promise<readonly Choice[]> {
  if (!(await operators()).includes(user.id)) return [];
  const names = (await fleet()).map(({ name }) => name);
  return nameChoices(names, options.getFocused());
}

type Entry = Pick<JobEntry, "id" | "kind" | "state" | "createdAt" | "prompt">;

const entryOf = ({ id, kind, state, createdAt, items }: Job): Entry => ({
  id,
  kind,
  state,
  createdAt,
  prompt: items[0]?.prompt ?? "",
});

const jobChoices = (jobs: readonly Entry[], locale: string): Choice[] => {
  const words = wordsOf(locale);
  return jobs.map((job) => ({
    name: jobCompletion(job, Date.now(), CHOICE_MAX, words),
    value: job.id,
  }));
};
