import { z } from "zod";
import { ComponentType } from "../protocol/types.js";
import { complain, optional, snowflake, text } from "./parse.js";

/**
 * Components as bots send them (components/reference): limits per kind. Totals per message: message.ts.
 */
const id = optional(
  z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
);
const customId = text(100, 1);
const url = z
  .string()
  .max(2048)
  .regex(/^(https?|discord|attachment):\/\//);

const emoji = z.strictObject({
  id: optional(snowflake),
  name: optional(text(32)),
  animated: optional(z.boolean()),
});

const LINK = 5;

const button = z
  .strictObject({
    type: z.literal(ComponentType.button),
    id,
    style: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(LINK)]),
    label: optional(text(80)),
    emoji: optional(emoji),
    custom_id: optional(customId),
    url: optional(url.max(512)),
    disabled: optional(z.boolean()),
  })
  .superRefine((it, context) => {
    const link = it.style === LINK;
    if (link && it.url === undefined) complain(context, ["url"], "BASE_TYPE_REQUIRED", "A url is required");
    if (!link && it.custom_id === undefined) {
      complain(context, ["custom_id"], "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required");
    }
    if (it.custom_id !== undefined && it.url !== undefined) {
      complain(
        context,
        ["custom_id"],
        "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
        "A custom id and url cannot both be specified",
      );
    }
    if (it.label === undefined && it.emoji === undefined) {
      complain(context, ["label"], "BUTTON_COMPONENT_LABEL_REQUIRED", "A label or emoji is required");
    }
  });

const selectCommon = {
  id,
  custom_id: customId,
  placeholder: optional(text(150)),
  min_values: optional(z.int().min(0).max(25)),
  max_values: optional(z.int().min(1).max(25)),
  disabled: optional(z.boolean()),
  // Modals only.
  required: optional(z.boolean()),
};
const defaultValues = optional(
  z.array(z.strictObject({ id: snowflake, type: z.enum(["user", "role", "channel"]) })).max(25),
);

const stringSelect = z
  .strictObject({
    type: z.literal(ComponentType.stringSelect),
    ...selectCommon,
    options: z
      .array(
        z.strictObject({
          label: text(100, 1),
          value: text(100, 1),
          description: optional(text(100)),
          emoji: optional(emoji),
          default: optional(z.boolean()),
        }),
      )
      .min(1)
      .max(25),
  })
  .superRefine((it, context) => {
    const seen = new Set<string>();
    it.options.forEach((option, at) => {
      if (seen.has(option.value)) {
        complain(
          context,
          ["options", at, "value"],
          "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
          "The specified option value is already used",
        );
      }
      seen.add(option.value);
    });
    if ((it.min_values ?? 1) > it.options.length) {
      complain(
        context,
        ["min_values"],
        "SELECT_COMPONENT_MIN_VALUES",
        "min_values exceeds the number of options",
      );
    }
  });
const entitySelect = <T extends number>(type: T) =>
  z.strictObject({ type: z.literal(type), ...selectCommon, default_values: defaultValues });
const userSelect = entitySelect(ComponentType.userSelect);
const roleSelect = entitySelect(ComponentType.roleSelect);
const mentionableSelect = entitySelect(ComponentType.mentionableSelect);
const channelSelect = z.strictObject({
  type: z.literal(ComponentType.channelSelect),
  ...selectCommon,
  default_values: defaultValues,
  channel_types: optional(z.array(z.int())),
});
const selects = [stringSelect, userSelect, roleSelect, mentionableSelect, channelSelect] as const;

const actionRow = z
  .strictObject({
    type: z.literal(ComponentType.actionRow),
    id,
    components: z
      .array(z.discriminatedUnion("type", [button, ...selects]))
      .min(1)
      .max(5),
  })
  .superRefine((row, context) => {
    if (row.components.length > 1 && row.components.some((it) => it.type !== ComponentType.button)) {
      complain(
        context,
        ["components"],
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        "A select menu needs a row of its own",
      );
    }
  });

const mediaItem = z.strictObject({ url });
const textDisplay = z.strictObject({
  type: z.literal(ComponentType.textDisplay),
  id,
  content: text(4000, 1),
});
const thumbnail = z.strictObject({
  type: z.literal(ComponentType.thumbnail),
  id,
  media: mediaItem,
  description: optional(text(1024)),
  spoiler: optional(z.boolean()),
});
const section = z.strictObject({
  type: z.literal(ComponentType.section),
  id,
  components: z.array(textDisplay).min(1).max(3),
  accessory: z.discriminatedUnion("type", [button, thumbnail]),
});
const mediaGallery = z.strictObject({
  type: z.literal(ComponentType.mediaGallery),
  id,
  items: z
    .array(
      z.strictObject({
        media: mediaItem,
        description: optional(text(1024)),
        spoiler: optional(z.boolean()),
      }),
    )
    .min(1)
    .max(10),
});
const file = z.strictObject({
  type: z.literal(ComponentType.file),
  id,
  file: z.strictObject({ url: z.string().regex(/^attachment:\/\//) }),
  spoiler: optional(z.boolean()),
});
const separator = z.strictObject({
  type: z.literal(ComponentType.separator),
  id,
  divider: optional(z.boolean()),
  spacing: optional(z.union([z.literal(1), z.literal(2)])),
});
const container = z.strictObject({
  type: z.literal(ComponentType.container),
  id,
  components: z
    .array(z.discriminatedUnion("type", [actionRow, textDisplay, section, mediaGallery, file, separator]))
    .min(1),
  accent_color: optional(z.int().min(0).max(0xffffff)),
  spoiler: optional(z.boolean()),
});

export const messageComponent = z.discriminatedUnion("type", [
  actionRow,
  textDisplay,
  section,
  mediaGallery,
  file,
  separator,
  container,
]);

const textInput = z
  .strictObject({
    type: z.literal(ComponentType.textInput),
    id,
    custom_id: customId,
    style: z.union([z.literal(1), z.literal(2)]),
    label: optional(text(45)),
    min_length: optional(z.int().min(0).max(4000)),
    max_length: optional(z.int().min(1).max(4000)),
    required: optional(z.boolean()),
    value: optional(text(4000)),
    placeholder: optional(text(100)),
  })
  .superRefine((it, context) => {
    if (it.value !== undefined && it.max_length !== undefined && it.value.length > it.max_length) {
      complain(context, ["value"], "BASE_TYPE_MAX_LENGTH", `Must be ${it.max_length} or fewer in length.`);
    }
  });
const fileUpload = z.strictObject({
  type: z.literal(ComponentType.fileUpload),
  id,
  custom_id: customId,
  min_values: optional(z.int().min(0).max(10)),
  max_values: optional(z.int().min(1).max(10)),
  required: optional(z.boolean()),
  file_types: optional(z.array(text(20, 1)).max(10)),
});
const groupOption = z.strictObject({
  value: text(100, 1),
  label: text(100, 1),
  description: optional(text(100)),
  default: optional(z.boolean()),
});
const radioGroup = z.strictObject({
  type: z.literal(ComponentType.radioGroup),
  id,
  custom_id: customId,
  options: z.array(groupOption).min(2).max(10),
  required: optional(z.boolean()),
});
const checkboxGroup = z.strictObject({
  type: z.literal(ComponentType.checkboxGroup),
  id,
  custom_id: customId,
  options: z.array(groupOption).min(1).max(10),
  min_values: optional(z.int().min(0).max(10)),
  max_values: optional(z.int().min(1).max(10)),
  required: optional(z.boolean()),
});
const checkbox = z.strictObject({
  type: z.literal(ComponentType.checkbox),
  id,
  custom_id: customId,
  default: optional(z.boolean()),
});
const label = z.strictObject({
  type: z.literal(ComponentType.label),
  id,
  label: text(45, 1),
  description: optional(text(100)),
  component: z.discriminatedUnion("type", [
    textInput,
    fileUpload,
    radioGroup,
    checkboxGroup,
    checkbox,
    ...selects,
  ]),
});
const textInputRow = z
  .strictObject({
    type: z.literal(ComponentType.actionRow),
    id,
    components: z.array(textInput).length(1),
  })
  .superRefine((row, context) => {
    if (row.components[0]?.label === undefined) {
      complain(context, ["components", 0, "label"], "BASE_TYPE_REQUIRED", "This field is required");
    }
  });

/** The modal that callback type 9 carries. */
export const modal = z.strictObject({
  custom_id: customId,
  title: text(45, 1),
  components: z
    .array(z.discriminatedUnion("type", [textInputRow, label, textDisplay]))
    .min(1)
    .max(5),
});
