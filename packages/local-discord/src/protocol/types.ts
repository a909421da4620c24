/** The JSON shapes that the local Discord sends: the subset of API v10 that it supports. */
export interface ApiUser {
  id: string;
  username: string;
  global_name: string | null;
  avatar: string | null;
  discriminator: string;
  public_flags: number;
  flags: number;
  bot?: boolean;
  primary_guild: null;
}

export interface ApiAttachment {
  id: string;
  filename: string;
  title?: string;
  description?: string;
  content_type?: string;
  /** Bytes. */
  size: number;
  /** Signed, with `ex`, `is` and `hm`; valid for a day. */
  url: string;
  proxy_url: string;
  width?: number;
  height?: number;
  ephemeral?: boolean;
  flags?: number;
}

export interface ApiEmbedMedia {
  url: string;
  proxy_url?: string;
  width?: number;
  height?: number;
}

export interface ApiEmbed {
  type: string;
  title?: string;
  description?: string;
  url?: string;
  color?: number;
  timestamp?: string;
  fields?: { name: string; value: string; inline: boolean }[];
  author?: { name: string; url?: string; icon_url?: string };
  footer?: { text: string; icon_url?: string };
  image?: ApiEmbedMedia;
  thumbnail?: ApiEmbedMedia;
}

export interface ApiEmoji {
  id?: string | null;
  name?: string | null;
  animated?: boolean;
}

export interface ApiSelectOption {
  label: string;
  value: string;
  description?: string;
  emoji?: ApiEmoji;
  default?: boolean;
}

export interface ApiMedia {
  id?: string;
  url: string;
  proxy_url?: string;
  width?: number;
  height?: number;
  content_type?: string;
  attachment_id?: string;
}

/** Any message or modal component; `type` (component reference) decides which fields are present. */
export interface ApiComponent {
  type: number;
  id?: number;
  custom_id?: string;
  label?: string;
  style?: number;
  disabled?: boolean;
  url?: string;
  emoji?: ApiEmoji;
  placeholder?: string;
  min_values?: number;
  max_values?: number;
  options?: ApiSelectOption[];
  channel_types?: number[];
  default_values?: { id: string; type: string }[];
  components?: ApiComponent[];
  component?: ApiComponent;
  accessory?: ApiComponent;
  content?: string;
  description?: string | null;
  media?: ApiMedia;
  file?: ApiMedia;
  items?: { media: ApiMedia; description?: string | null; spoiler?: boolean }[];
  spoiler?: boolean;
  divider?: boolean;
  spacing?: number;
  accent_color?: number | null;
  value?: string;
  min_length?: number;
  max_length?: number;
  required?: boolean;
  name?: string;
  size?: number;
  /** Of a modal's checkbox: whether it starts checked. */
  default?: boolean;
  file_types?: string[];
}

export interface ApiMessage {
  id: string;
  channel_id: string;
  guild_id?: string;
  type: number;
  author: ApiUser;
  content: string;
  timestamp: string;
  edited_timestamp: string | null;
  tts: boolean;
  pinned: boolean;
  mention_everyone: boolean;
  mentions: ApiUser[];
  mention_roles: string[];
  attachments: ApiAttachment[];
  embeds: ApiEmbed[];
  components: ApiComponent[];
  flags: number;
  nonce?: string | number;
  application_id?: string;
  webhook_id?: string;
  message_reference?: { type: number; channel_id: string; message_id?: string; guild_id?: string };
  referenced_message?: ApiMessage | null;
  interaction_metadata?: {
    id: string;
    type: number;
    user: ApiUser;
    authorizing_integration_owners: Record<string, string>;
    original_response_message_id?: string;
    interacted_message_id?: string;
    triggering_interaction_metadata?: unknown;
  };
  /** Deprecated predecessor of `interaction_metadata`, still sent; carries the command's name. */
  interaction?: { id: string; type: number; name: string; user: ApiUser };
}

export interface ApiChoice {
  name: string;
  name_localizations?: Record<string, string> | null;
  value: string | number;
}

export interface ApiCommandOption {
  type: number;
  name: string;
  name_localizations?: Record<string, string> | null;
  description: string;
  description_localizations?: Record<string, string> | null;
  required?: boolean;
  choices?: ApiChoice[];
  options?: ApiCommandOption[];
  channel_types?: number[];
  min_value?: number;
  max_value?: number;
  min_length?: number;
  max_length?: number;
  autocomplete?: boolean;
  file_types?: string[];
}

export interface ApiCommand {
  id: string;
  application_id: string;
  version: string;
  guild_id?: string;
  type: number;
  name: string;
  name_localizations?: Record<string, string> | null;
  description: string;
  description_localizations?: Record<string, string> | null;
  options?: ApiCommandOption[];
  default_member_permissions: string | null;
  dm_permission?: boolean;
  contexts?: number[] | null;
  integration_types?: number[];
  nsfw: boolean;
}

export interface ApiModal {
  custom_id: string;
  title: string;
  components: ApiComponent[];
}

export interface ApiInteractionOption {
  name: string;
  type: number;
  value?: string | number | boolean;
  focused?: boolean;
  options?: ApiInteractionOption[];
}

export const ChannelType = {
  text: 0,
  dm: 1,
  voice: 2,
  category: 4,
  announcement: 5,
  publicThread: 11,
} as const;

export const CommandType = { chatInput: 1, user: 2, message: 3 } as const;

/** Where an interaction happens (`context`). */
export const InteractionContext = { guild: 0, botDirect: 1, privateChannel: 2 } as const;

/** What an application is added to (`integration_types`). */
export const IntegrationType = { guild: 0, user: 1 } as const;

export const MessageFlag = {
  suppressEmbeds: 1 << 2,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  componentsV2: 1 << 15,
} as const;

export const MessageType = { default: 0, reply: 19, chatInputCommand: 20, contextMenuCommand: 23 } as const;

export const InteractionType = { command: 2, component: 3, autocomplete: 4, modalSubmit: 5 } as const;

export const OptionType = {
  subcommand: 1,
  subcommandGroup: 2,
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  attachment: 11,
} as const;

export const ComponentType = {
  actionRow: 1,
  button: 2,
  stringSelect: 3,
  textInput: 4,
  userSelect: 5,
  roleSelect: 6,
  mentionableSelect: 7,
  channelSelect: 8,
  section: 9,
  textDisplay: 10,
  thumbnail: 11,
  mediaGallery: 12,
  file: 13,
  separator: 14,
  container: 17,
  label: 18,
  fileUpload: 19,
  radioGroup: 21,
  checkboxGroup: 22,
  checkbox: 23,
} as const;
