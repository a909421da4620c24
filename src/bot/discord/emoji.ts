/** The emoji that puts a result into the gallery where no setting says so, and the text for none. */
export const USUAL_REACTION = "⭐";
export const NO_REACTION = "off";

/** An emoji as Discord sends it: of a server with an id, any other by its character. */
export interface Emoji {
  readonly id: string | null;
  readonly name: string | null;
}

/** As a person writes a server's emoji. */
const OF_SERVER = /^<a?:\w{2,32}:(\d{17,20})>$/;
/** A picture, or a letter of a flag; what else belongs to an emoji follows it. */
const CHARACTER = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|[\d#*]\uFE0F?\u20E3)/u;
/** Families are the longest. */
const CHARACTER_MAX = 32;

/** Whether a text is one emoji, as far as that can be told. */
export const isEmoji = (text: string): boolean =>
  OF_SERVER.test(text) || (CHARACTER.test(text) && text.length <= CHARACTER_MAX && !/\s/.test(text));

/** Whether an emoji is the one that a text names; whether a character is asked to be drawn in colour makes no difference. */
export function isSameEmoji({ id, name }: Emoji, text: string): boolean {
  const [, own] = OF_SERVER.exec(text) ?? [];
  if (own !== undefined || id !== null) return own === id;
  return plain(name ?? "") === plain(text);
}

const plain = (character: string): string => character.replaceAll("\uFE0F", "");
