import { z } from "zod";
import { type ApiComponent, ComponentType, MessageFlag } from "../protocol/types.js";
import { messageComponent } from "./components.js";
import { complain, optional, snowflake, text } from "./parse.js";

const url = z
  .string()
  .max(2048)
  .regex(/^(https?|attachment):\/\//);
const EMBED_TOTAL = 6000;
const V2_COMPONENTS = 40;
const V2_TEXT = 4000;

const embedMedia = z.strictObject({
  url,
  proxy_url: optional(z.string()),
  width: optional(z.int()),
  height: optional(z.int()),
  content_type: optional(z.string()),
  placeholder: optional(z.string()),
  placeholder_version: optional(z.int()),
  description: optional(z.string()),
  flags: optional(z.int()),
});

const embed = z.strictObject({
  type: optional(z.string()),
  title: optional(text(256)),
  description: optional(text(4096)),
  url: optional(url),
  color: optional(z.int().min(0).max(0xffffff)),
  timestamp: optional(z.union([z.iso.datetime({ offset: true }), z.iso.date()])),
  footer: optional(
    z.strictObject({ text: text(2048), icon_url: optional(url), proxy_icon_url: optional(z.string()) }),
  ),
  image: optional(embedMedia),
  thumbnail: optional(embedMedia),
  author: optional(
    z.strictObject({
      name: text(256),
      url: optional(url),
      icon_url: optional(url),
      proxy_icon_url: optional(z.string()),
    }),
  ),
  fields: optional(
    z
      .array(z.strictObject({ name: text(256, 1), value: text(1024, 1), inline: optional(z.boolean()) }))
      .max(25),
  ),
});
export type EmbedForm = z.output<typeof embed>;

const allowedMentions = z
  .strictObject({
    parse: optional(z.array(z.enum(["roles", "users", "everyone"])).max(3)),
    users: optional(z.array(snowflake).max(100)),
    roles: optional(z.array(snowflake).max(100)),
    replied_user: optional(z.boolean()),
  })
  .superRefine((it, context) => {
    for (const kind of ["users", "roles"] as const) {
      if (it.parse?.includes(kind) === true && (it[kind]?.length ?? 0) > 0) {
        complain(
          context,
          ["parse"],
          "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
          `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`,
        );
      }
    }
  });
export type AllowedMentionsForm = z.output<typeof allowedMentions>;

const attachment = z.looseObject({
  id: snowflake,
  filename: optional(text(1024, 1)),
  title: optional(text(1024)),
  description: optional(text(1024)),
  is_spoiler: optional(z.boolean()),
});

const common = {
  content: optional(text(2000)),
  embeds: optional(z.array(embed).max(10)),
  allowed_mentions: optional(allowedMentions),
  components: optional(z.array(messageComponent).max(V2_COMPONENTS)),
  attachments: optional(z.array(attachment).max(10)),
  flags: optional(z.int().min(0)),
};
const nonce = {
  nonce: optional(z.union([text(25), z.int()])),
  enforce_nonce: optional(z.boolean()),
};
const messageReference = z.strictObject({
  type: optional(z.literal(0)),
  message_id: snowflake,
  channel_id: optional(snowflake),
  guild_id: optional(snowflake),
  fail_if_not_exists: optional(z.boolean()),
});

/** Body of POST /channels/{id}/messages. */
export const messageCreate = z
  .strictObject({
    ...common,
    ...nonce,
    tts: optional(z.boolean()),
    message_reference: optional(messageReference),
    sticker_ids: optional(z.array(snowflake).max(0)),
  })
  .superRefine(checkWhole);
/** Body of PATCH on a message, and of callback type 7. Absent fields matter: see `composeEdit`. */
export const messageEdit = z
  .strictObject({ ...common, tts: optional(z.boolean()), ...nonce })
  .superRefine(checkWhole);
/** `data` of callback type 4 and body of a follow-up. Discord ignores nonces here. */
export const interactionMessage = z
  .strictObject({ ...common, ...nonce, tts: optional(z.boolean()) })
  .superRefine(checkWhole);
/** `data` of callback types 5 and 6. */
export const deferral = z.strictObject({
  flags: optional(z.int().min(0)),
});

export type MessageForm = Partial<z.output<typeof interactionMessage>>;

/** Rules across fields: embed characters, components by version, unique ids. */
function checkWhole(
  form: {
    content?: string | undefined;
    embeds?: EmbedForm[] | undefined;
    components?: unknown;
    flags?: number | undefined;
  },
  context: z.RefinementCtx,
): void {
  const total = (form.embeds ?? []).reduce((sum, it) => sum + embedCharacters(it), 0);
  if (total > EMBED_TOTAL) {
    complain(
      context,
      ["embeds"],
      "MAX_EMBED_SIZE_EXCEEDED",
      `Embed size exceeds maximum size of ${EMBED_TOTAL}`,
    );
  }
  const components = (form.components ?? []) as ApiComponent[];
  const all = components.flatMap((it) => [...walk(it)]);
  const ids = new Set<string>();
  for (const { custom_id: customId } of all) {
    if (customId === undefined) continue;
    if (ids.has(customId)) {
      complain(
        context,
        ["components"],
        "COMPONENT_CUSTOM_ID_DUPLICATED",
        `Component custom id cannot be duplicated: ${customId}`,
      );
    }
    ids.add(customId);
  }
  if (((form.flags ?? 0) & MessageFlag.componentsV2) !== 0) {
    if (form.content) {
      complain(
        context,
        ["content"],
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
      );
    }
    if (form.embeds?.length) {
      complain(
        context,
        ["embeds"],
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        "The 'embeds' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
      );
    }
    if (all.length > V2_COMPONENTS) {
      complain(
        context,
        ["components"],
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
        `The total number of components cannot exceed ${V2_COMPONENTS}`,
      );
    }
    const characters = all.reduce(
      (sum, it) => sum + (it.type === ComponentType.textDisplay ? it.content!.length : 0),
      0,
    );
    if (characters > V2_TEXT) {
      complain(
        context,
        ["components"],
        "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        `Total displayable text cannot exceed ${V2_TEXT} characters`,
      );
    }
  }
}

/** Rules of classic messages, checked once the version is known (an edit inherits it). */
export function checkClassic(
  components: readonly ApiComponent[],
): { path: PropertyKey[]; code: string; message: string }[] {
  const errors: { path: PropertyKey[]; code: string; message: string }[] = [];
  components.forEach((component, at) => {
    if (component.type !== ComponentType.actionRow) {
      errors.push({
        path: ["components", at, "type"],
        code: "UNION_TYPE_CHOICES",
        message: 'Value of field "type" must be one of (1,) without MessageFlags.IS_COMPONENTS_V2.',
      });
    }
  });
  if (components.length > 5) {
    errors.push({
      path: ["components"],
      code: "BASE_TYPE_BAD_LENGTH",
      message: "Must be between 1 and 5 in length.",
    });
  }
  return errors;
}

function embedCharacters(it: EmbedForm): number {
  const fields = (it.fields ?? []).reduce((sum, field) => sum + field.name.length + field.value.length, 0);
  return (
    (it.title?.length ?? 0) +
    (it.description?.length ?? 0) +
    (it.footer?.text.length ?? 0) +
    (it.author?.name.length ?? 0) +
    fields
  );
}

/** Yields a component and everything in it. */
export function* walk(component: ApiComponent): Generator<ApiComponent> {
  yield component;
  for (const child of component.components ?? []) yield* walk(child);
  if (component.accessory !== undefined) yield* walk(component.accessory);
  if (component.component !== undefined) yield* walk(component.component);
}
