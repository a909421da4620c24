import type { InteractionReplyOptions } from "discord.js";
import { linkTo } from "../../core/job.js";
import type { JobEntry } from "../../db/records.js";
import type { Words } from "../words/english/english.js";
import { historyEntry } from "../words/english/history.js";
import { historyRow } from "./parts/components.js";

/** Entries of one list: the most choices that a menu has. */
export const HISTORY_MAX = 25;
/** One embed does not hold 25 lines with links. */
const PER_EMBED = 13;

/** A person's last jobs, and a menu that does one of them again. */
export function historyMessage(
  entries: readonly JobEntry[],
  now: number,
  words: Words,
): Pick<InteractionReplyOptions, "content" | "embeds" | "components"> {
  const { historyLines } = words;
  if (entries.length === 0) return { content: historyLines.none };
  const lines = entries.map((entry) => historyEntry(entry, linkTo(entry, entry.messageId), words));
  const embeds = [lines.slice(0, PER_EMBED), lines.slice(PER_EMBED)]
    .filter((part) => part.length > 0)
    .map((part, i) => ({
      ...(i === 0 ? { title: historyLines.title } : {}),
      description: part.join("\n"),
    }));
  return { embeds, components: [historyRow(entries, now, words)] };
}
