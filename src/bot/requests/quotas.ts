import type { BaseInteraction } from "discord.js";
import { InputError } from "../../core/errors.js";
import type { Work } from "../../core/hosts/waiting.js";
import { type Left, leftOf } from "../../core/quota.js";
import type { OpenWork, Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
import type { Usage, UsageFilter } from "../../db/usage.js";
import type { Words } from "../words/english/english.js";
import { rolesOf } from "./rules.js";

export interface QuotaOptions {
  readonly usage: Usage;
  readonly settings: StoredSettings;
  readonly queue: Queue;
  /** Minutes a day that the operator gives each person, and each server; absent: no limit. */
  readonly minutes: { readonly user?: number; readonly server?: number };
  /** People without a limit: who runs the bot. */
  readonly adminIds: readonly string[];
  /** Milliseconds that this machine takes for work of this size; null where that was never measured. */
  readonly estimateMs: (work: Work) => number | null;
  readonly now: () => number;
}

/** A quota, and what is left of it. */
export interface Quota extends Left {
  readonly scope: "user" | "server";
  /** A day. */
  readonly minutes: number;
}

type Asker = Pick<BaseInteraction, "user" | "guildId" | "channelId" | "member">;

/** A quota is told before one runs into it once less than this part of a day's minutes is left. */
const SCARCE = 1 / 3;

/**
 * Minutes of the card a day, per person and per server: the operator's for everyone, and a server's own, which roles may
 * be free of. What waits or runs counts as used already, as far as its time is known.
 */
export class Quotas {
  readonly #options: QuotaOptions;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** The quotas of a person here, that with the least left first; none where there is no limit. */
  async of(asker: Asker): Promise<Quota[]> {
    const { usage, queue, minutes, adminIds, estimateMs, now } = this.#options;
    const { user, guildId } = asker;
    if (adminIds.includes(user.id)) return [];
    const own = await this.#ownOf(asker);
    const wanted: { scope: Quota["scope"]; minutes: number; filter: UsageFilter }[] = [];
    const want = (scope: Quota["scope"], aDay: number | undefined, filter: UsageFilter) => {
      if (aDay !== undefined) wanted.push({ scope, minutes: aDay, filter });
    };
    want("user", minutes.user, { userId: user.id });
    if (guildId !== null) {
      want("server", minutes.server, { guildId });
      want("user", own.user, { userId: user.id, guildId });
      want("server", own.server, { guildId });
    }
    if (wanted.length === 0) return [];
    const open = await queue.work();
    const quotas: Quota[] = [];
    for (const { scope, minutes, filter } of wanted) {
      const left = leftOf(minutes * 60_000, await usage.spent(filter), now());
      const pending = open
        .filter((job) => counts(job, filter))
        .reduce((sum, job) => sum + (estimateMs({ ...job, steps: job.pictures * job.steps }) ?? 0), 0);
      quotas.push({ scope, minutes, ...left, leftMs: left.leftMs - pending });
    }
    return quotas.sort((a, b) => a.leftMs - b.leftMs);
  }

  /** Throws InputError QUOTA_USED where nothing is left; a job that is accepted is finished, whatever it takes. */
  async check(asker: Asker): Promise<void> {
    const [least] = await this.of(asker);
    if (least === undefined || least.leftMs > 0) return;
    const { scope, minutes, freeAt } = least;
    const at = Math.floor(freeAt / 1000);
    throw new InputError("QUOTA_USED", `The ${scope}'s minutes are used up.`, { scope, minutes, at });
  }

  /** The quota that is to be told before one runs into it; null while there is plenty. */
  async scarce(asker: Asker): Promise<Quota | null> {
    const [least] = await this.of(asker);
    return least !== undefined && least.leftMs < least.minutes * 60_000 * SCARCE ? least : null;
  }

  /** What a server's own settings give; nothing for roles that are free of them. */
  async #ownOf(asker: Asker): Promise<{ user?: number | undefined; server?: number | undefined }> {
    const { guildId } = asker;
    if (guildId === null) return {};
    const { userMinutes, serverMinutes, freeRoles = [] } = await this.#options.settings.of("server", guildId);
    const isFree =
      freeRoles.length > 0 && rolesOf(asker as BaseInteraction).some((role) => freeRoles.includes(role));
    return isFree ? {} : { user: userMinutes, server: serverMinutes };
  }
}

/** What is left of a quota, as a sentence. */
export function quotaLine({ scope, minutes, leftMs, todayMs, freeAt }: Quota, { quotaLines }: Words): string {
  const left = Math.max(0, Math.floor(leftMs / 60_000));
  return quotaLines[scope](left, minutes, Math.ceil(todayMs / 60_000), Math.floor(freeAt / 1000));
}

const counts = (job: OpenWork, filter: UsageFilter): boolean =>
  (!("userId" in filter) || job.userId === filter.userId) &&
  (filter.guildId === undefined || job.guildId === filter.guildId);
