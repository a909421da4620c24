import { checkAnnounced, composeMessage, editMessage } from "../forms/compose.js";
import { interactionMessage } from "../forms/message.js";
import { parseForm } from "../forms/parse.js";
import { apiErrors } from "../protocol/errors.js";
import { MessageFlag } from "../protocol/types.js";
import type { InteractionRecord, MessageRecord } from "../world/records.js";
import { messageView } from "../world/views.js";
import { buckets } from "./buckets.js";
import { ANSWER_MENTIONS, answerOptions } from "./callback-routes.js";
import { type ApiRequest, noContent, ok, type RestContext, type Route } from "./router.js";

/** Limit of follow-ups if only the user, not the guild, installed the app. */
const USER_FOLLOW_UPS = 5;

/** Interaction webhooks: follow-ups, and reading, editing and deleting an interaction's answers. */
export function webhookRoutes(route: Route, rest: RestContext): void {
  const { state } = rest;
  const webhook = "/webhooks/:webhook_id/:webhook_token";
  const one = `${webhook}/messages/:message_id`;

  const target = (request: ApiRequest): { interaction: InteractionRecord; message: MessageRecord } => {
    const interaction = owner(request);
    const { message_id: named = "" } = request.params;
    const id = named === "@original" ? interaction.originalMessageId : named;
    const message = id === null ? undefined : state.messages.get(id);
    const belongs =
      message?.interactionId === interaction.id || message?.id === interaction.originalMessageId;
    if (message === undefined || !belongs) throw apiErrors.unknownMessage();
    return { interaction, message };
  };
  const owner = (request: ApiRequest): InteractionRecord => {
    const { webhook_id: id = "", webhook_token: token = "" } = request.params;
    return rest.interactions.byWebhook(id, token);
  };
  const edit = (request: ApiRequest, message: MessageRecord): MessageRecord =>
    editMessage(state, message, request, ANSWER_MENTIONS);

  route("POST", webhook, { bucket: buckets.webhook, auth: false }, (request) => {
    const interaction = owner(request);
    const original =
      interaction.originalMessageId === null ? undefined : state.messages.get(interaction.originalMessageId);
    // Documented but deprecated: the first follow-up after a deferral fills in the deferred answer.
    if (original !== undefined && (original.flags & MessageFlag.loading) !== 0) {
      return ok(messageView(state, edit(request, original)));
    }
    const byUserOnly = !("0" in interaction.owners);
    if (byUserOnly && interaction.followUps >= USER_FOLLOW_UPS) throw apiErrors.tooManyFollowUps();
    const form = parseForm(interactionMessage, request.body ?? {});
    checkAnnounced(form, request.files, []);
    const ephemeral = ((form.flags ?? 0) & MessageFlag.ephemeral) !== 0;
    const message = composeMessage(state, form, request.files, answerOptions(interaction, state, ephemeral));
    interaction.followUps += 1;
    return ok(messageView(state, message));
  });
  route("GET", one, { bucket: buckets.webhookMessage, auth: false }, (request) =>
    ok(messageView(state, target(request).message)),
  );
  route("PATCH", one, { bucket: buckets.webhookMessage, auth: false }, (request) =>
    ok(messageView(state, edit(request, target(request).message))),
  );
  route("DELETE", one, { bucket: buckets.webhookMessage, auth: false }, (request) => {
    state.deleteMessage(target(request).message);
    return noContent;
  });
}
