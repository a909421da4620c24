/** One node of the `errors` tree of code 50035: fields nest, `_errors` lists what is wrong with this one. */
export interface ErrorTree {
  [field: string]: ErrorTree | FieldError[];
}
export interface FieldError {
  readonly code: string;
  readonly message: string;
}

/** An error response of the REST API: `{ code, message, errors? }` with an HTTP status. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
    readonly errors?: ErrorTree,
  ) {
    super(message);
    this.name = "ApiError";
  }

  toJSON(): { message: string; code: number; errors?: ErrorTree } {
    return {
      message: this.message,
      code: this.code,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    };
  }
}

/** Builds the error tree of code 50035 from field errors by path, such as `["embeds", 0, "title"]`. */
export function invalidForm(
  fields: readonly {
    readonly path: readonly PropertyKey[];
    readonly code: string;
    readonly message: string;
  }[],
): ApiError {
  const root = emptyTree();
  for (const { path, code, message } of fields) {
    let node = root;
    for (const key of path) {
      const name = String(key);
      const next = node[name];
      if (next === undefined || Array.isArray(next)) node = node[name] = emptyTree();
      else node = next;
    }
    const list = node._errors;
    if (Array.isArray(list)) list.push({ code, message });
    else node._errors = [{ code, message }];
  }
  return new ApiError(400, 50035, "Invalid Form Body", root);
}

/** Without a prototype: the sender chooses the names of the fields, "constructor" among them. */
function emptyTree(): ErrorTree {
  return Object.create(null) as ErrorTree;
}

/** The JSON errors of the API by name (topics/opcodes-and-status-codes). */
export const apiErrors = {
  unauthorized: () => new ApiError(401, 0, "401: Unauthorized"),
  unknownRoute: (method: string, path: string) =>
    new ApiError(404, 0, `404: Not Found (the local Discord has no route ${method} ${path})`),
  unknownApplication: () => new ApiError(404, 10002, "Unknown Application"),
  unknownChannel: () => new ApiError(404, 10003, "Unknown Channel"),
  unknownGuild: () => new ApiError(404, 10004, "Unknown Guild"),
  unknownMember: () => new ApiError(404, 10007, "Unknown Member"),
  unknownMessage: () => new ApiError(404, 10008, "Unknown Message"),
  unknownUser: () => new ApiError(404, 10013, "Unknown User"),
  unknownWebhook: () => new ApiError(404, 10015, "Unknown Webhook"),
  unknownInteraction: () => new ApiError(404, 10062, "Unknown interaction"),
  unknownCommand: () => new ApiError(404, 10063, "Unknown application command"),
  tooManyCommandCreates: () =>
    new ApiError(400, 30034, "Max number of daily application command creates has been reached (200)"),
  requestTooLarge: () => new ApiError(413, 40005, "Request entity too large"),
  alreadyAcknowledged: () => new ApiError(400, 40060, "Interaction has already been acknowledged."),
  missingAccess: () => new ApiError(403, 50001, "Missing Access"),
  notAuthor: () => new ApiError(403, 50005, "Cannot edit a message authored by another user"),
  emptyMessage: () => new ApiError(400, 50006, "Cannot send an empty message"),
  cannotMessageUser: () => new ApiError(403, 50007, "Cannot send messages to this user"),
  missingPermissions: () => new ApiError(403, 50013, "Missing Permissions"),
  invalidWebhookToken: () => new ApiError(401, 50027, "Invalid Webhook Token"),
  replyNeedsHistory: () =>
    new ApiError(403, 160002, "Cannot reply without permission to read message history"),
  tooManyFollowUps: () =>
    new ApiError(400, 40094, "Maximum number of follow-up messages has been reached (5)"),
  badJson: () => new ApiError(400, 50109, "The request body contains invalid JSON."),
} as const;
