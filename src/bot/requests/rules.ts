import {
  type APIInteractionGuildMember,
  type BaseInteraction,
  type GuildMember,
  PermissionFlagsBits,
} from "discord.js";
import { withoutMarks } from "../../core/emphasis.js";
import { InputError } from "../../core/errors.js";
import type { LimitScope, Origin } from "../../core/job.js";
import { NO_MODELS, type OfferedModels } from "../../core/known-models.js";
import {
  DEFAULT_LIMITS,
  DEFAULT_SIDES,
  DEFAULT_SPEED,
  fitsSides,
  type ImageOptions,
  promptModeOf,
} from "../../core/options.js";
import { rewriterNameOf } from "../../core/rewriters.js";
import type { Settings } from "../../core/settings.js";
import { type Style, styleNamed, withPresets } from "../../core/styles.js";
import type { JobCaps, NewItem } from "../../db/queue.js";
import type { StyleOwner, Styles } from "../../db/styles.js";
import { usualModel } from "./models.js";
import { findRefused } from "./refused-words.js";
import type { CommandContext } from "./request.js";

/**
 * The program's defaults and limits under the settings of a channel; `own`: the styles of its server, `offered`: the
 * models that may be named there.
 */
export function contextOf(
  base: CommandContext,
  settings: Settings,
  own: readonly Style[] = [],
  offered: OfferedModels = NO_MODELS,
): CommandContext {
  const { text, image } = base.defaults;
  const styles = withPresets(own);
  const style = settings.style === undefined ? image.style : styleNamed(settings.style, styles);
  const limits = {
    ...base.limits,
    maxSteps: atMost(base.limits.maxSteps, settings.maxSteps),
    maxBatch: atMost(base.limits.maxBatch, settings.maxBatch),
    maxPairs: atMost(base.limits.maxPairs, settings.maxPairs),
    maxCells: atMost(base.limits.maxCells ?? DEFAULT_LIMITS.cells, settings.maxCells),
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
    ...(settings.against === undefined ? {} : { against: settings.against }),
    limits,
    styles,
    offered,
    paced: pacedBy(settings),
    defaults: {
      ...base.defaults,
      speed: settings.speed ?? base.defaults.speed ?? DEFAULT_SPEED,
      text: {
        ...text,
        mode: settings.mode ?? text.mode,
        rewriter: settings.rewriter ?? rewriterNameOf(text),
      },
      image: {
        ...image,
        // A size from before the limit, or of another checkpoint, would refuse every command as well.
        size:
          settings.size !== undefined && fitsSides(settings.size, limits.sides ?? DEFAULT_SIDES)
            ? settings.size
            : image.size,
        negative: settings.negative ?? image.negative,
        prompts: settings.prompts ?? promptModeOf(image),
        ...(style === undefined ? {} : { style }),
        ...usualModel(settings, offered),
      },
    },
    blind: settings.blind ?? false,
    preview: settings.preview ?? base.preview ?? false,
  };
}

const pacedBy = ({ steps, guidance, scheduler }: Settings): NonNullable<CommandContext["paced"]> => ({
  ...(steps === undefined ? {} : { steps }),
  ...(guidance === undefined ? {} : { guidance }),
  ...(scheduler === undefined ? {} : { scheduler }),
});

/** Settings may lower the program's own numbers, never raise them. */
function capsOf(base: JobCaps = {}, settings: { readonly [S in LimitScope]: number | undefined }): JobCaps {
  const caps: { -readonly [S in LimitScope]?: number } = { ...base };
  for (const scope of ["user", "channel", "server"] as const) {
    const own = settings[scope];
    if (own !== undefined) caps[scope] = atMost(base[scope] ?? own, own);
  }
  return caps;
}

const atMost = (limit: number, own: number | undefined): number => Math.min(limit, own ?? limit);

/** Whose styles count for an interaction: its server's, or in direct messages its user's own. */
export const stylesOwner = ({ guildId, user }: Pick<BaseInteraction, "guildId" | "user">): StyleOwner =>
  guildId === null ? { scope: "user", id: user.id } : { scope: "server", id: guildId };

/** The styles that may be named where an interaction comes from: those that are kept there, and the presets. */
export const stylesHere = async (
  styles: Styles,
  asker: Pick<BaseInteraction, "guildId" | "user">,
): Promise<readonly Style[]> => withPresets(await styles.of(stylesOwner(asker)));

/** The image options with the negative prompt that the settings always add. */
export function withAlwaysNegative(image: ImageOptions, { alwaysNegative = "" }: Settings): ImageOptions {
  return { ...image, negative: withAlways(image.negative, alwaysNegative) };
}

/** The same for an item with a negative prompt of its own. */
export function withOwnNegative(item: NewItem, { alwaysNegative = "" }: Settings): NewItem {
  const { image } = item;
  if (image?.negative === undefined) return item;
  return { ...item, image: { ...image, negative: withAlways(image.negative, alwaysNegative) } };
}

function withAlways(negative: string, always: string): string {
  if (always === "" || negative.includes(always)) return negative;
  return negative === "" ? always : `${negative}, ${always}`;
}

/** Throws InputError INPUT_WORD for a text with a refused word, as a whole word, also where marks tear it. */
export async function checkWords(settings: Settings, texts: readonly (string | null)[]): Promise<void> {
  const { refusedWords = [] } = settings;
  if (refusedWords.length === 0) return;
  const read = texts.flatMap((text) => (text === null ? [] : [text, withoutMarks(text)]));
  const word = await findRefused(refusedWords, read);
  if (word !== undefined) throw new InputError("INPUT_WORD", `The word ${word} is refused here.`, { word });
}

/** Ids of the roles that the interaction's user has in its server. */
export function rolesOf(interaction: BaseInteraction): readonly string[] {
  const member: GuildMember | APIInteractionGuildMember | null = interaction.member;
  if (member === null) return [];
  return Array.isArray(member.roles) ? member.roles : [...member.roles.cache.keys()];
}

const permits = (interaction: BaseInteraction, permission: bigint): boolean =>
  interaction.memberPermissions?.has(permission) ?? false;

/** Whether a user may use the commands and buttons that make jobs. Managers always may. */
export function mayUse(interaction: BaseInteraction, settings: Settings): boolean {
  const roles = settings.useRoles ?? [];
  if (roles.length === 0 || interaction.guildId === null) return true;
  return mayManage(interaction, settings) || rolesOf(interaction).some((role) => roles.includes(role));
}

/** Whether a user may change the settings: by Discord's permission or by a role. */
export function mayManage(interaction: BaseInteraction, settings: Settings): boolean {
  if (interaction.guildId === null) return false;
  if (permits(interaction, PermissionFlagsBits.ManageGuild)) return true;
  const roles = settings.manageRoles ?? [];
  return rolesOf(interaction).some((role) => roles.includes(role));
}

/**
 * Whether a user may cancel, reveal or delete a job: its requester, or a moderator of the command's channel.
 */
export function mayModerate(interaction: BaseInteraction, origin: Origin, settings: Settings): boolean {
  if (interaction.user.id === origin.userId) return true;
  if (interaction.channelId !== origin.channelId) return false;
  return permits(interaction, PermissionFlagsBits.ManageMessages) || mayManage(interaction, settings);
}
