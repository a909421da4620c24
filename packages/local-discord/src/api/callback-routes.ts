import { z } from "zod";
import { autocompleteResult } from "../forms/command.js";
import { modal } from "../forms/components.js";
import {
  type ComposeOptions,
  checkAnnounced,
  composeEdit,
  composeMessage,
  numbered,
} from "../forms/compose.js";
import { deferral, interactionMessage, type MessageForm, messageEdit } from "../forms/message.js";
import { optional, parseForm } from "../forms/parse.js";
import { ApiError, apiErrors, invalidForm } from "../protocol/errors.js";
import { CommandType, InteractionType, MessageFlag, MessageType } from "../protocol/types.js";
import { Permission } from "../world/permissions.js";
import type { InteractionRecord, MessageRecord } from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import { messageView } from "../world/views.js";
import { buckets } from "./buckets.js";
import { type ApiReply, type ApiRequest, noContent, ok, type RestContext, type Route } from "./router.js";

const Callback = {
  pong: 1,
  message: 4,
  deferredMessage: 5,
  deferredUpdate: 6,
  update: 7,
  autocomplete: 8,
  modal: 9,
} as const;

const envelope = z.strictObject({
  type: z.union([
    z.literal(1),
    z.literal(4),
    z.literal(5),
    z.literal(6),
    z.literal(7),
    z.literal(8),
    z.literal(9),
  ]),
  data: optional(z.unknown()),
  // Not in the documentation: discord.js adds it to the payload of a callback with files.
  attachments: optional(z.array(z.looseObject({}))),
});

/** Default for answers: only user mentions are parsed. */
export const ANSWER_MENTIONS: ComposeOptions["mentionDefault"] = ["users"];

/** POST /interactions/{id}/{token}/callback */
export function callbackRoutes(route: Route, rest: RestContext): void {
  route(
    "POST",
    "/interactions/:interaction_id/:interaction_token/callback",
    { bucket: buckets.callback, auth: false },
    (request) => {
      const { interaction_id: id = "", interaction_token: token = "" } = request.params;
      const interaction = rest.interactions.awaitingAnswer(id, token);
      const message = answer(rest, interaction, request);
      return request.query.with_response === "true"
        ? ok(callbackView(rest.state, interaction, request, message))
        : noContent;
    },
  );
}

/** Carries out a callback; returns the message that it created or changed, if any. */
function answer(
  rest: RestContext,
  interaction: InteractionRecord,
  request: ApiRequest,
): MessageRecord | null {
  const { state, interactions } = rest;
  const form = parseForm(envelope, request.body);
  const data = form.data ?? {};
  requireFit(interaction, form.type);
  switch (form.type) {
    case Callback.message: {
      const body = inData(() => parseForm(interactionMessage, data));
      checkAnnounced(body, request.files, []);
      const message = inData(() => post(state, interaction, body, request));
      interaction.originalMessageId = message.id;
      interactions.answered(interaction, "message");
      return message;
    }
    case Callback.deferredMessage: {
      const body = inData(() => parseForm(deferral, data));
      const extra = (body.flags ?? 0) & ~MessageFlag.ephemeral;
      if (extra !== 0) {
        throw invalidForm([
          {
            path: ["data", "flags"],
            code: "BASE_TYPE_INVALID",
            message: "A deferred answer takes only the EPHEMERAL flag",
          },
        ]);
      }
      const message = placeholder(state, interaction, ((body.flags ?? 0) & MessageFlag.ephemeral) !== 0);
      interaction.originalMessageId = message.id;
      interactions.answered(interaction, "deferred");
      return message;
    }
    case Callback.deferredUpdate: {
      inData(() => parseForm(deferral, data));
      interaction.originalMessageId = interaction.sourceMessageId;
      interactions.answered(interaction, "deferred-update");
      return sourceOf(state, interaction);
    }
    case Callback.update: {
      const source = sourceOf(state, interaction);
      const body = inData(() => parseForm(messageEdit, data));
      checkAnnounced(
        body,
        request.files,
        source.attachments.map((it) => it.id),
      );
      inData(() =>
        composeEdit(state, source, body, data as Record<string, unknown>, request.files, ANSWER_MENTIONS),
      );
      interaction.originalMessageId = source.id;
      interactions.answered(interaction, "update");
      return source;
    }
    case Callback.autocomplete: {
      const { choices } = inData(() => parseForm(autocompleteResult, data));
      interactions.answered(interaction, "autocomplete", {
        choices: choices.map(({ name, value }) => ({ name, value })),
      });
      return null;
    }
    case Callback.modal: {
      const body = inData(() => parseForm(modal, data));
      const opened = { ...body, components: numbered(body.components) };
      interactions.answered(interaction, "modal", { modal: opened });
      return null;
    }
    default:
      throw invalidForm([
        {
          path: ["type"],
          code: "BASE_TYPE_CHOICES",
          message: "A pong answers a ping only; no ping was sent",
        },
      ]);
  }
}

/** Throws if this type of callback may not answer this interaction. */
function requireFit(interaction: InteractionRecord, type: number): void {
  const refuse = (message: string) =>
    invalidForm([{ path: ["type"], code: "INTERACTION_CALLBACK_TYPE", message }]);
  const isAutocomplete = interaction.type === InteractionType.autocomplete;
  if (isAutocomplete !== (type === Callback.autocomplete)) {
    throw refuse("Callback type 8 answers autocomplete, and nothing else does");
  }
  if (type === Callback.modal && interaction.type === InteractionType.modalSubmit) {
    throw refuse("A modal cannot be answered with a modal");
  }
  const needsSource = type === Callback.deferredUpdate || type === Callback.update;
  if (needsSource && interaction.sourceMessageId === null) {
    throw refuse("Only a component, or a modal that a component opened, has a message to update");
  }
}

function sourceOf(state: DiscordState, interaction: InteractionRecord): MessageRecord {
  const source =
    interaction.sourceMessageId === null ? undefined : state.messages.get(interaction.sourceMessageId);
  if (source === undefined) throw apiErrors.unknownMessage();
  return source;
}

/** Message options common to all answers to an interaction. */
export function answerOptions(
  interaction: InteractionRecord,
  state: DiscordState,
  ephemeral: boolean,
): ComposeOptions {
  const channel = state.channels.get(interaction.channelId);
  if (channel === undefined) throw apiErrors.unknownChannel();
  const fromCommand = interaction.type === InteractionType.command;
  const first = interaction.originalMessageId === null;
  const replyTo = first ? interaction.sourceMessageId : interaction.originalMessageId;
  return {
    channel,
    authorId: state.bot.id,
    type:
      fromCommand && first
        ? interaction.data.type === CommandType.chatInput
          ? MessageType.chatInputCommand
          : MessageType.contextMenuCommand
        : replyTo === null
          ? MessageType.default
          : MessageType.reply,
    visibleTo: ephemeral || mustBePrivate(interaction, state) ? interaction.userId : null,
    interactionId: interaction.id,
    replyTo,
    mentionDefault: ANSWER_MENTIONS,
  };
}

/** In a guild without the app, the answers to a member without USE_EXTERNAL_APPS are private. */
function mustBePrivate(interaction: InteractionRecord, state: DiscordState): boolean {
  const channel = state.channels.get(interaction.channelId);
  if (channel === undefined || channel.guildId === null || "0" in interaction.owners) return false;
  return (state.permissions(channel, interaction.userId) & Permission.useExternalApps) === 0n;
}

function post(
  state: DiscordState,
  interaction: InteractionRecord,
  body: MessageForm,
  request: ApiRequest,
): MessageRecord {
  const ephemeral = ((body.flags ?? 0) & MessageFlag.ephemeral) !== 0;
  return composeMessage(state, body, request.files, answerOptions(interaction, state, ephemeral));
}

/** The "is thinking…" message of a deferred answer. */
function placeholder(state: DiscordState, interaction: InteractionRecord, ephemeral: boolean): MessageRecord {
  const options = answerOptions(interaction, state, ephemeral);
  const message: MessageRecord = {
    id: state.ids.next(),
    channelId: options.channel.id,
    guildId: options.channel.guildId,
    authorId: options.authorId,
    type: options.type,
    visibleTo: options.visibleTo,
    interactionId: interaction.id,
    replyTo: options.replyTo ?? null,
    nonce: null,
    tts: false,
    createdAt: state.clock.now(),
    editedAt: null,
    content: "",
    embeds: [],
    components: [],
    attachments: [],
    flags: MessageFlag.loading | (options.visibleTo === null ? 0 : MessageFlag.ephemeral),
    mentions: { users: [], roles: [], everyone: false },
  };
  state.addMessage(message);
  return message;
}

function callbackView(
  state: DiscordState,
  interaction: InteractionRecord,
  request: ApiRequest,
  message: MessageRecord | null,
): ApiReply["body"] {
  const { type } = request.body as { type: number };
  const carries = type === Callback.message || type === Callback.deferredMessage || type === Callback.update;
  return {
    interaction: {
      id: interaction.id,
      type: interaction.type,
      channel_id: interaction.channelId,
      ...(interaction.guildId === null ? {} : { guild_id: interaction.guildId }),
      ...(message === null
        ? {}
        : {
            response_message_id: message.id,
            response_message_loading: (message.flags & MessageFlag.loading) !== 0,
            response_message_ephemeral: message.visibleTo !== null,
          }),
    },
    ...(message === null || !carries ? {} : { resource: { type, message: messageView(state, message) } }),
  };
}

/** Runs a check of `data`; reports its field errors under that name. */
function inData<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ApiError && error.errors !== undefined) {
      throw new ApiError(error.status, error.code, error.message, { data: error.errors });
    }
    throw error;
  }
}
