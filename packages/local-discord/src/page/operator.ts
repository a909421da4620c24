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
      /** Why it failed. */
      reason: z.string().optional(),
      /** Link to its message, or to its channel. */
      url: z.url({ protocol: /^https$/ }).optional(),
    }),
  ),
  /** The models that may run, whether they are loaded or not. */
  models: z
    .array(
      z.strictObject({
        /** What it is used for. */
        use: z.string(),
        name: z.string(),
        /** Absent until it has run. */
        device: z.string().optional(),
        loaded: z.boolean(),
      }),
    )
    .optional(),
  disk: z
    .strictObject({
      /** The folder with all data. */
      folder: z.string(),
      bytes: z.number().nonnegative(),
      /** What is left on its disk. */
      free: z.number().nonnegative(),
    })
    .optional(),
  /** The log's last lines, oldest first, without secrets. */
  log: z
    .array(
      z.strictObject({ at: z.int(), level: z.enum(["debug", "info", "warn", "error"]), text: z.string() }),
    )
    .optional(),
  /** Which side of a pair people preferred. */
  votes: z
    .strictObject({
      optimized: z.int().nonnegative(),
      baseline: z.int().nonnegative(),
      /** What they say in a sentence. */
      summary: z.string(),
    })
    .optional(),
  /** The programs that share the work, this one among them. */
  hosts: z
    .array(
      z.strictObject({
        name: z.string(),
        /** What it does for the bot. */
        role: z.string(),
        condition: z.enum(["running", "paused", "waiting", "silent", "stopped"]),
        version: z.string(),
        /** Whether that is another one than the bot's. */
        differs: z.boolean(),
        /** Whether it keeps pictures elsewhere than the bot. */
        otherPictures: z.boolean(),
        seenAt: z.int(),
        agoMs: z.number().nonnegative(),
        /** Names of the models that it has. */
        offers: z.array(z.string()),
        devices: z.array(
          z.strictObject({
            name: z.string(),
            doing: z.string(),
            job: z.string().optional(),
            /** Those that are loaded, and the bytes of their weights. */
            models: z.array(z.string()),
            bytes: z.number().nonnegative(),
            /** Why it takes no work. */
            setAside: z.string().optional(),
          }),
        ),
      }),
    )
    .optional(),
});
export type OperatorSnapshot = z.output<typeof operatorSnapshot>;
const share = z.strictObject({
  /** 0 to 1, as are the ends of its 95 % interval. */
  share: z.number(),
  low: z.number(),
  high: z.number(),
  /** Votes that it is of. */
  n: z.int().nonnegative(),
});
const phrase = z.strictObject({ ...share.shape, phrase: z.string() });

/** Servers whose votes teach what they like, those with most votes first. */
export const tasteServers = z.strictObject({
  servers: z.array(
    z.strictObject({
      id: z.string(),
      /** Absent where it is not known, such as of a server that the bot left. */
      name: z.string().optional(),
      /** Whether rewrites are chosen by what it likes. */
      on: z.boolean(),
      votes: z.int().nonnegative(),
    }),
  ),
  /** Whether there are more behind these. */
  more: z.boolean(),
});
export type TasteServers = z.output<typeof tasteServers>;

/** What one server likes. */
export const serverTaste = z.strictObject({
  /** How often the rewrite wins as it was chosen, and as the first would; null without a vote. */
  chosen: share.nullable(),
  first: share.nullable(),
  /** The surest phrases of each kind. */
  liked: z.array(phrase),
  disliked: z.array(phrase),
});
export type ServerTaste = z.output<typeof serverTaste>;

/** What the panel asks for only when somebody opens it. */
export interface OperatorTaste {
  /** Some servers behind the first `skip`. */
  readonly servers: (skip: number) => Promise<TasteServers>;
  /** May take seconds where there are many votes. */
  readonly of: (server: string) => Promise<ServerTaste>;
}

/** Called about once a second while someone looks at the panel. */
export type OperatorSource = () => OperatorSnapshot | Promise<OperatorSnapshot>;

/** What the panel's buttons do. The panel shows no button for what is missing. */
export interface OperatorActions {
  /** Ends an open job. */
  readonly cancel?: (job: string) => Promise<unknown>;
  /** Keeps new work from starting. */
  readonly pause?: () => Promise<unknown>;
  readonly resume?: () => Promise<unknown>;
  /** The same for one host. */
  readonly pauseHost?: (host: string) => Promise<unknown>;
  readonly resumeHost?: (host: string) => Promise<unknown>;
}

/** Holds the latest snapshot: from the source if there is one, else the last that was sent. */
export class OperatorBoard {
  #sent: OperatorSnapshot | null = null;

  readonly #source: OperatorSource | null;

  constructor(
    source: OperatorSource | null,
    readonly actions: OperatorActions = {},
    readonly taste: OperatorTaste | null = null,
  ) {
    this.#source = source;
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
