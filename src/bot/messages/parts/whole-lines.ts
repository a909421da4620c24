import { CONTENT_MAX } from "../../discord/outgoing.js";

/** As many of the lines as a message holds whole, and in words how many more there are. */
export function wholeLines(lines: readonly string[], moreOf: (count: number) => string): string {
  const shown: string[] = [];
  let room = CONTENT_MAX - moreOf(lines.length).length;
  for (const line of lines) {
    room -= line.length + 1;
    if (room < 0) break;
    shown.push(line);
  }
  const more = lines.length - shown.length;
  return [...shown, ...(more === 0 ? [] : [moreOf(more)])].join("\n");
}
