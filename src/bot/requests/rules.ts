import {
  type APIInteractionGuildMember,
  type BaseInteraction,
  type GuildMember,
  PermissionFlagsBits,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { LimitScope, Origin } from "../../core/job.js";
import { IMAGE_RANGES, type ImageOptions, type TextOptions } from "../../core/options.js";
import type { Settings } from "../../core/settings.js";
import type { JobCaps } from "../../db/queue.js";
import { findRefused } from "./refused-words.js";
import { type CommandContext, checkRange } from "./request.js";

/** The program's defaults and limits as the place of a command has them. */
export function contextOf(base: CommandContext, settings: Settings): CommandContext {
  const { text, image } = base.defaults;
  const limits = {
    ...base.limits,
    maxSteps: atMost(base.limits.maxSteps, settings.maxSteps),
    maxBatch: atMost(base.limits.maxBatch, settings.maxBatch),
    maxPairs: atMost(base.limits.maxPairs, settings.maxPairs),
    inLine: capsOf(base.limits.inLine, {
      user: settings.userLimit,
      channel: settings.channelLimit,
      server: settings.serverLimit,
    }),
    open: capsOf(base.limits.open, {
      user: settings.userCap,
      channel: settings.channelCap,
      server: settings.serverCap,
    }),
  };
  return {
    ...base,
    limits,
    defaults: {
      ...base.defaults,
      text: { ...text, mode: settings.mode ?? text.mode },
      image: {
        ...image,
        // A default beyond the limit would make every command without the option a refused one.
        steps: Math.min(settings.steps ?? image.steps, limits.maxSteps),
        guidance: settings.guidance ?? image.guidance,
        scheduler: settings.scheduler ?? image.scheduler,
        size: settings.size ?? image.size,
        negative: settings.negative ?? image.negative,
      },
    },
    blind: settings.blind ?? false,
    preview: settings.preview ?? base.preview ?? false,
  };
}

/** The program's own numbers are the most that a place may set. */
function capsOf(base: JobCaps = {}, settings: { readonly [S in LimitScope]: number | undefined }): JobCaps {
  const caps: { -readonly [S in LimitScope]?: number } = { ...base };
  for (const scope of ["user", "channel", "server"] as const) {
    const own = settings[scope];
    if (own !== undefined) caps[scope] = atMost(base[scope] ?? own, own);
  }
  return caps;
}

const atMost = (limit: number, own: number | undefined): number => Math.min(limit, own ?? limit);

/** What a request becomes here; throws InputError where the place does not allow it. */
export function admit<R extends { readonly text: TextOptions; readonly image: ImageOptions }>(
  request: R,
  settings: Settings,
  { limits }: CommandContext,
): R {
  checkRange("steps", request.image.steps, { ...IMAGE_RANGES.steps, max: limits.maxSteps });
  const { alwaysNegative = "" } = settings;
  const { negative } = request.image;
  if (alwaysNegative === "" || negative.includes(alwaysNegative)) return request;
  const both = negative === "" ? alwaysNegative : `${negative}, ${alwaysNegative}`;
  return { ...request, image: { ...request.image, negative: both } };
}

/** Throws InputError INPUT_WORD for a text that has a refused word, as a word and not as a part of another. */
export function checkWords(settings: Settings, texts: readonly (string | null)[]): void {
  const word = findRefused(settings.refusedWords ?? [], texts);
  if (word !== undefined) throw new InputError("INPUT_WORD", `The word ${word} is refused here.`, { word });
}

/** The roles that the person of an interaction has in its server. */
export function rolesOf(interaction: BaseInteraction): readonly string[] {
  const member: GuildMember | APIInteractionGuildMember | null = interaction.member;
  if (member === null) return [];
  return Array.isArray(member.roles) ? member.roles : [...member.roles.cache.keys()];
}

const permits = (interaction: BaseInteraction, permission: bigint): boolean =>
  interaction.memberPermissions?.has(permission) ?? false;

/** Whether a person may use the commands and buttons that make work. Who manages the place always may. */
export function mayUse(interaction: BaseInteraction, settings: Settings): boolean {
  const roles = settings.useRoles ?? [];
  if (roles.length === 0 || interaction.guildId === null) return true;
  return mayManage(interaction, settings) || rolesOf(interaction).some((role) => roles.includes(role));
}

/** Whether a person may change the settings and see the admin's side: by Discord's permission or by a role. */
export function mayManage(interaction: BaseInteraction, settings: Settings): boolean {
  if (interaction.guildId === null) return false;
  if (permits(interaction, PermissionFlagsBits.ManageGuild)) return true;
  const roles = settings.manageRoles ?? [];
  return rolesOf(interaction).some((role) => roles.includes(role));
}

/** Whether a person may end, reveal or delete a job: its requester, or who keeps order in the channel of the command. */
export function mayModerate(interaction: BaseInteraction, origin: Origin, settings: Settings): boolean {
  if (interaction.user.id === origin.userId) return true;
  if (interaction.channelId !== origin.channelId) return false;
  return permits(interaction, PermissionFlagsBits.ManageMessages) || mayManage(interaction, settings);
}
