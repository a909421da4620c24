import { draftLines, fileLines, itemLines } from "./batch.js";
import { helpText } from "./commands.js";
import { galleryLines, quotaLines, styleLines } from "./community.js";
import { errorSentences, expectations } from "./errors.js";
import { evaluationLines } from "./evaluation.js";
import { gridLines } from "./grid.js";
import { historyLines } from "./history.js";
import { hostLines } from "./hosts.js";
import { labels } from "./labels.js";
import { dataLines } from "./mydata.js";
import { formatDuration } from "./parts.js";
import { pictureLines } from "./pictures.js";
import { refusals } from "./refusals.js";
import { endLines, infoWords, jobLines, miniatureNote, noteWords, resultLines } from "./result.js";
import { safetyLines } from "./safety.js";
import { scoreLines } from "./scores.js";
import { settingLines } from "./settings.js";
import { queueLines, statusLines } from "./status.js";
import { tasteLines } from "./taste.js";
import type { Translated } from "./translated.js";
import { blindLines, statsLines, verdictLines } from "./votes.js";

/**
 * What the bot says to people in messages, in English. Not here, and English for everyone: what operators read
 * (admin.ts, the log, the command line), the texts in pictures, and direct messages in words.
 */
export const english = {
  /** For what Intl writes, such as "5 minutes ago". */
  locale: "en",
  duration: formatDuration,
  labels,
  statusLines,
  queueLines,
  resultLines,
  jobLines,
  endLines,
  errorSentences,
  expectations,
  noteWords,
  infoWords,
  miniatureNote,
  safetyLines,
  scoreLines,
  blindLines,
  verdictLines,
  statsLines,
  tasteLines,
  draftLines,
  fileLines,
  itemLines,
  gridLines,
  evaluationLines,
  refusals,
  historyLines,
  dataLines,
  settingLines,
  pictureLines,
  styleLines,
  quotaLines,
  galleryLines,
  hostLines,
  helpText,
} as const;

/** What the bot says in one language. */
export type Words = Translated<typeof english>;
