// What the page knows of a channel, as a value.

/** A channel that is not loaded yet. */
export const NOTHING = {
  channel: null,
  messages: [],
  commands: [],
  message_commands: [],
  user_commands: [],
};

/** `messages` after an event of the stream: { change: "created" | "updated" | "deleted", message }. */
export function changed(messages, { change, message }) {
  if (change === "deleted") return messages.filter((it) => it.id !== message.id);
  if (!messages.some((it) => it.id === message.id)) return [...messages, message];
  return messages.map((it) => (it.id === message.id ? message : it));
}
