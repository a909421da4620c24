import { hasOverview, type Item, isUnchanged, type Job, type Phase } from "../../../core/job.js";
import { modelSetOf } from "../../../core/model-set.js";
import type { ImageOptions } from "../../../core/options.js";
import type { Where } from "../../../core/settings.js";
import type { StoredSettings } from "../../../db/settings.js";
import type { Ballot, Tally, Votes } from "../../../db/votes.js";
import type { PictureStore } from "../../../pictures/store.js";
import type { Words } from "../../words/english/english.js";
import { wordsOf } from "../../words/languages.js";
import { ANYBODY, type Audience } from "./audience.js";
import { needsAudience, type PictureView, showsPreview, viewOf } from "./picture-policy.js";
import { isRaw } from "./rewrite-text.js";
import type { Subjects } from "./subjects.js";

/**
 * Whether people vote on a blind comparison. `pending`: its ballot is not open yet, so nothing may be told;
 * `none`: there is no vote, or it is over.
 */
export type Vote =
  | { readonly state: "none" }
  | { readonly state: "pending" }
  | { readonly state: "open"; readonly ballot: Ballot };

/**
 * What a result's message says besides its job. Read before the message is composed, which changes nothing.
 */
export interface Facts {
  /** Where the files of the pictures are. */
  readonly pictures: PictureStore;
  /** The phases that a miniature model runs, which is said small under every result. */
  readonly miniature: readonly Phase[];
  /** In whose language the message is written: that of who asked for the job. */
  readonly words: Words;
  /** What the image model can draw, where that is a short list. */
  readonly subjects?: Subjects;
  /** What a command without options draws with where the job was asked for; its seed says nothing. */
  readonly usual: ImageOptions;
  /** Who will see the message; `ANYBODY` where that decides nothing. */
  readonly audience: Audience;
  /** Which pictures that audience sees. */
  readonly view: PictureView;
  /** Whether its server has a channel for favourites. */
  readonly hasGallery: boolean;
  /** Whether the pictures go behind a click. */
  readonly spoiler: boolean;
  readonly vote: Vote;
  /** The votes of a blind comparison; null until the vote is over. */
  readonly tally: Tally | null;
}

export interface PresenterOptions {
  readonly pictures: PictureStore;
  readonly miniature: readonly Phase[];
  readonly subjects?: Subjects;
  /** What a command without options draws with, where the settings don't say. */
  readonly image: ImageOptions;
  readonly settings: StoredSettings;
  readonly votes: Votes;
  /** Throws DiscordError where Discord does not say what the channel is. */
  readonly audienceOf: (where: Where) => Promise<Audience>;
}

/** Gathers what messages say about a job; only reads. */
export class Presenter {
  readonly #options: PresenterOptions;

  constructor(options: PresenterOptions) {
    this.#options = options;
  }

  /**
   * The facts for a message in `where` with the pictures of these items; by default those of the job's final
   * message. Asks Discord who will see it only where that decides something; throws DiscordError where
   * Discord does not answer.
   */
  async facts(job: Job, where: Where, items: readonly Item[] = itemsOfResult(job)): Promise<Facts> {
    const { pictures, miniature, subjects, image, settings, votes, audienceOf } = this.#options;
    const audience = needsAudience(items) ? await audienceOf(where) : ANYBODY;
    const view = viewOf(items, audience);
    const isOwnModel = modelSetOf(job.image).model === null;
    const ballot = isVoted(job) ? await votes.ballot(job.id) : undefined;
    const {
      style: _,
      model: __,
      loras: ___,
      gallery,
      ...drawingDefaults
    } = await settings.resolve(job.origin);
    return {
      pictures,
      // A model that somebody chose is none of the program's own.
      miniature: miniature.filter((phase) => phase === "text" || isOwnModel),
      words: wordsOf(job.origin.locale),
      ...(subjects === undefined || !isOwnModel ? {} : { subjects }),
      usual: { ...image, ...drawingDefaults },
      hasGallery: gallery !== undefined,
      audience,
      view,
      spoiler: view.spoiler || (await settings.resolve(where)).spoiler === true,
      vote: isVoted(job) ? voteOf(ballot) : { state: "none" },
      tally: ballot === undefined || ballot.closedAt === null ? null : await votes.tally(job.id),
    };
  }

  /** Whether an unfinished picture may be shown; `harmless`: what draws it needs no safety checker. */
  async showsPreview(where: Where, harmless: boolean): Promise<boolean> {
    const { settings, audienceOf } = this.#options;
    if ((await settings.resolve(where)).spoiler === true) return false;
    return harmless || showsPreview(await audienceOf(where));
  }
}

/** Whether people vote on the result before they learn which picture is which. */
export const isVoted = (job: Job): boolean => isBlindPair(job) && !job.items.every(isUnchanged);

/** Whether a vote was asked for, and both pictures are the same. */
export const hasNothingToVoteOn = (job: Job): boolean =>
  isBlindPair(job) && job.items.every((item) => isUnchanged(item) && !isRaw(item));

const isBlindPair = (job: Job): boolean =>
  job.state === "done" && job.kind === "compare" && job.blind && !hasOverview(job);

export const voteOf = (ballot: Ballot | undefined): Vote => {
  if (ballot === undefined) return { state: "pending" };
  return ballot.closedAt === null ? { state: "open", ballot } : { state: "none" };
};

/**
 * None of a job that made no result; of a prompt that was not changed, one of the two equal pictures.
 */
function itemsOfResult(job: Job): readonly Item[] {
  if (job.state !== "done") return [];
  return job.items.map((item) =>
    !hasOverview(job) && isUnchanged(item) && item.only === undefined
      ? { ...item, pictures: { ...item.pictures, optimized: null } }
      : item,
  );
}
