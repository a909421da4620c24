import type { JobKind } from "../../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import type { NewJob } from "../../../src/db/queue.js";

let interactions = 0;

export interface JobWish {
  readonly user: string;
  readonly kind?: JobKind;
  readonly prompts?: readonly string[];
  /** Given rewrites, as in a file of pairs. */
  readonly rewrites?: readonly (string | null)[];
  readonly interactionId?: string;
  readonly seed?: number;
}

/** A valid command with an interaction id of its own; by default `/compare` with one prompt. */
export function newJob(wish: JobWish): NewJob {
  interactions += 1;
  const prompts = wish.prompts ?? ["A cat in the rain"];
  return {
    kind: wish.kind ?? "compare",
    origin: {
      userId: wish.user,
      guildId: "guild",
      channelId: "channel",
      locale: "en-US",
      applicationId: "application",
      interactionId: wish.interactionId ?? `interaction-${interactions}`,
      interactionToken: "a-very-fake-token",
      tokenExpiresAt: 1_700_000_900_000,
    },
    text: DEFAULT_TEXT_OPTIONS,
    image: {
      seed: wish.seed ?? 42,
      steps: 50,
      guidance: 7.5,
      negative: "",
      size: { width: 512, height: 512 },
      scheduler: "pndm",
    },
    items: prompts.map((prompt, index) => ({ prompt, rewrite: wish.rewrites?.[index] ?? null })),
  };
}
