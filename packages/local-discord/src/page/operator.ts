import { z } from "zod";

/**
 * What the page's side panel shows: how the program behind the bot is doing. Discord knows nothing of this;
 * the program serves it (`LocalDiscordOptions.operator`) or sends it (PUT /local/operator with
 * `Authorization: Bot TOKEN`). Times are milliseconds since the Unix epoch, sizes are bytes.
 */
export const operatorSnapshot = z.strictObject({
  queue: z.strictObject({
    waiting: z.int().nonnegative(),
    running: z.int().nonnegative(),
    /** Finished, but the message is not posted yet. */
    undelivered: z.int().nonnegative(),
  }),
  /** What the machine is at, or null when it is idle. */
  phase: z
    .strictObject({
      name: z.string(),
      /** One line of detail, such as the model and the device. */
      detail: z.string().optional(),
      startedAt: z.int(),
      /** How far it is; absent while something is loading. */
      progress: z
        .strictObject({
          label: z.string(),
          done: z.number().nonnegative(),
          total: z.number().positive(),
          /** Which of how many, where the work comes in pieces. */
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
  /** Which picture of a pair people preferred. */
  votes: z
    .strictObject({
      optimized: z.int().nonnegative(),
      baseline: z.int().nonnegative(),
      ties: z.int().nonnegative(),
    })
    .optional(),
});
export type OperatorSnapshot = z.output<typeof operatorSnapshot>;
/** Asked about once a second while somebody looks. */
export type OperatorSource = () => OperatorSnapshot | Promise<OperatorSnapshot>;

/** The latest snapshot: asked for where there is a source, else what was sent last. */
export class OperatorBoard {
  #sent: OperatorSnapshot | null = null;

  readonly #source: OperatorSource | null;

  constructor(source: OperatorSource | null) {
    this.#source = source;
  }

  /** @throws z.ZodError naming the field that is wrong */
  send(body: unknown): void {
    this.#sent = operatorSnapshot.parse(body);
  }

  /** Null as long as nobody has told anything. @throws z.ZodError when the source breaks the contract */
  async current(): Promise<OperatorSnapshot | null> {
    return this.#source === null ? this.#sent : operatorSnapshot.parse(await this.#source());
  }
}
