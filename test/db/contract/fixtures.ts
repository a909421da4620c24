import { expect } from "vitest";
import type { JobKind, Phase, Picture } from "../../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import type { Claim, NewJob, Queue } from "../../../src/db/queue.js";

let interactions = 0;

export interface JobWish {
  readonly user: string;
  readonly kind?: JobKind;
  readonly prompts?: readonly string[];
  /** Given rewrites, as in a file of pairs. */
  readonly rewrites?: readonly (string | null)[];
  readonly interactionId?: string;
  readonly seed?: number;
  /** The model that draws it. */
  readonly model?: string;
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
      ...(wish.model === undefined ? {} : { model: wish.model }),
    },
    items: prompts.map((prompt, index) => ({ prompt, rewrite: wish.rewrites?.[index] ?? null })),
  };
}

/** A picture in a file, not judged. */
export const drawn = (file: string, ms: number | null = null): Picture => ({ file, ms, judgement: null });

/** Claims a job that must be there. */
export async function claimNext(
  queue: Queue,
  phase: Phase = "text",
  owner = "loop",
  loaded?: readonly string[],
): Promise<Claim> {
  const claimed = await queue.claim(phase, owner, { loaded });
  if (claimed === undefined) throw new Error(`no ${phase} job waits`);
  return claimed;
}

/** Claims until nothing waits, each job completed before the next claim; answers the users in order. */
export async function drain(queue: Queue, phase: Phase = "text"): Promise<string[]> {
  const users: string[] = [];
  for (
    let next = await queue.claim(phase, "loop");
    next !== undefined;
    next = await queue.claim(phase, "loop")
  ) {
    users.push(next.job.origin.userId);
    expect(await queue.complete(next)).toBe(true);
  }
  return users;
}

/**
 * Jobs of ada, bob and cyd, of which cyd's fails, then ada's is done and bob's cancelled; `pass` lets time
 * pass.
 */
export async function endThree(
  queue: Queue,
  pass: (ms: number) => void,
): Promise<Record<"ada" | "bob" | "cyd", string>> {
  for (const user of ["ada", "bob", "cyd"]) await queue.enqueue(newJob({ user }));
  const [ada, bob, cyd] = [await claimNext(queue), await claimNext(queue), await claimNext(queue)];
  await queue.fail(cyd, "INTERNAL", "bug");
  pass(1_000);
  await queue.complete(ada);
  pass(1_000);
  await queue.cancelled(bob);
  return { ada: ada.job.id, bob: bob.job.id, cyd: cyd.job.id };
}
