import { apiErrors } from "../protocol/errors.js";
import type { ApiChoice, ApiModal } from "../protocol/types.js";
import type { AnswerKind, InteractionRecord } from "./records.js";
import type { DiscordState } from "./state.js";

/** How many interactions are kept; messages of forgotten ones no longer say who asked. */
const KEPT = 5_000;

export type NewInteraction = Pick<
  InteractionRecord,
  | "type"
  | "userId"
  | "channelId"
  | "guildId"
  | "data"
  | "attachments"
  | "owners"
  | "targetId"
  | "commandName"
  | "sourceMessageId"
  | "triggeredBy"
>;

/**
 * The life of interactions: created by a user, answered once within 3 s, with a token valid for 15 minutes.
 */
export class Interactions {
  readonly #deadlines = new Map<string, () => void>();

  readonly #state: DiscordState;

  constructor(state: DiscordState) {
    this.#state = state;
  }

  /** Creates an interaction and sends it to the bot; it fails for good if unanswered in time. */
  create(input: NewInteraction): InteractionRecord {
    const state = this.#state;
    const interaction: InteractionRecord = {
      ...input,
      id: state.ids.next(),
      token: state.newToken(),
      createdAt: state.clock.now(),
      answer: null,
      failed: false,
      originalMessageId: null,
      followUps: 0,
    };
    state.interactions.set(interaction.id, interaction);
    const oldest = state.interactions.keys().next().value;
    if (state.interactions.size > KEPT && oldest !== undefined) state.interactions.delete(oldest);
    const cancel = state.clock.after(state.limits.firstAnswerMs, () => {
      this.#deadlines.delete(interaction.id);
      if (interaction.answer !== null) return;
      interaction.failed = true;
      state.emit({ type: "interaction.failed", interaction });
    });
    this.#deadlines.set(interaction.id, cancel);
    state.emit({ type: "interaction.created", interaction });
    return interaction;
  }

  /** How many interactions still wait for their first answer. */
  get unanswered(): number {
    return this.#deadlines.size;
  }

  /**
   * The interaction that a callback answers.
   * @throws ApiError 10062 unknown or too late, 40060 answered already
   */
  awaitingAnswer(id: string, token: string): InteractionRecord {
    const interaction = this.#state.interactions.get(id);
    if (interaction === undefined || interaction.token !== token || interaction.failed) {
      throw apiErrors.unknownInteraction();
    }
    if (interaction.answer !== null) throw apiErrors.alreadyAcknowledged();
    return interaction;
  }

  /** Records the first answer; from now on follow-ups are allowed. */
  answered(
    interaction: InteractionRecord,
    answer: AnswerKind,
    extra: { modal?: ApiModal; choices?: readonly ApiChoice[] } = {},
  ): void {
    interaction.answer = answer;
    this.#deadlines.get(interaction.id)?.();
    this.#deadlines.delete(interaction.id);
    this.#state.emit({ type: "interaction.answered", interaction, ...extra });
  }

  /**
   * The interaction behind a webhook URL.
   * @throws ApiError 50027 when the token is unknown or older than 15 minutes, 10015 before the first answer
   */
  byWebhook(applicationId: string, token: string): InteractionRecord {
    const state = this.#state;
    if (applicationId !== state.applicationId) throw apiErrors.unknownWebhook();
    const interaction = [...state.interactions.values()].find((it) => it.token === token);
    if (interaction === undefined || state.clock.now() - interaction.createdAt > state.limits.tokenMs) {
      throw apiErrors.invalidWebhookToken();
    }
    if (interaction.answer === null) throw apiErrors.unknownWebhook();
    return interaction;
  }

  /** Cancels all deadlines, for shutdown. */
  close(): void {
    for (const cancel of this.#deadlines.values()) cancel();
    this.#deadlines.clear();
  }
}
