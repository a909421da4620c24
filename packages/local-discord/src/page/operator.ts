import { z } from "zod";

/**
 * The page's side panel: the state of the program behind the bot. Discord has no such thing. The program
 * serves it (`LocalDiscordOptions.operator`) or sends it (PUT /local/operator with `Authorization: Bot
 * TOKEN`). Times are milliseconds since the Unix epoch, sizes are bytes.
 */
export const operatorSnapshot = z.strictObject({
  queue: z.strictObject({
    waiting: z.int().nonnegative(),
    running: z.int().nonnegative(),
    /** Finished, but its message is not posted yet. */
    undelivered: z.int().nonnegative(),
    /** Whether nothing new starts until somebody resumes it. */
    paused: z.boolean().optional(),
  }),
  /** The phase at work, or null when idle. */
  phase: z
    .strictObject({
      name: z.string(),
      /** One line of detail, such as the model and the device. */
      detail: z.string().optional(),
      startedAt: z.int(),
      /** Progress; absent while something is loading. */
      progress: z
        .strictObject({
          label: z.string(),
          done: z.number().nonnegative(),
          total: z.number().positive(),
          /** The current item, if the work has several. */
          item: z.int().nonnegative().optional(),
          items: z.int().positive().optional(),
        })
        .optional(),
    })
    .nullable(),
  memory: z.array(
    z.strictObject({ name: z.string(), bytes: z.number().nonnegative(), peak: z.boolean().optional() }),
  ),
  /** Waiting and running jobs in the order of service, then the finished ones, latest first. */
  jobs: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
      title: z.string(),
      /** A Discord user's id. */
      user: z.string().optional(),
      at: z.int(),
      /** How long it took, or has taken. */
      ms: z.number().nonnegative().optional(),
    }),
  ),
  /** Which side of a pair people preferred. */
  votes: z
    .strictObject({
      optimized: z.int().nonnegative(),
      baseline: z.int().nonnegative(),
      ties: z.int().nonnegative(),
    })
    .optional(),
});
export type OperatorSnapshot = z.output<typeof operatorSnapshot>;
/** Called about once a second while someone looks at the panel. */
export type OperatorSource = () => OperatorSnapshot | Promise<OperatorSnapshot>;

/** Lets a paused queue go on. */
export type ResumeQueue = () => Promise<void>;

/** Holds the latest snapshot: from the source if there is one, else the last that was sent. */
export class OperatorBoard {
  #sent: OperatorSnapshot | null = null;

  readonly #source: OperatorSource | null;
  /** Null where the program can't be told to; the panel then has no button for it. */
  readonly resume: ResumeQueue | null;

  constructor(source: OperatorSource | null, resume: ResumeQueue | null = null) {
    this.#source = source;
    this.resume = resume;
  }

  /** @throws z.ZodError naming the wrong field */
  send(body: unknown): void {
    this.#sent = operatorSnapshot.parse(body);
  }

  /** Null until there is a snapshot. @throws z.ZodError if the source breaks the contract */
  async current(): Promise<OperatorSnapshot | null> {
    return this.#source === null ? this.#sent : operatorSnapshot.parse(await this.#source());
  }
}
