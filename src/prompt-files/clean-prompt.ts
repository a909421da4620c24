/**
 * Cleans a person's text for use as a prompt. Line breaks and tabs become spaces. Other control characters,
 * unpaired surrogates and marks that reverse the reading direction are removed. Spaces are trimmed at both
 * ends only.
 */
export function cleanPrompt(text: string): string {
  return text
    .replace(/\r\n|[\r\n\t\u2028\u2029]/g, " ")
    .replace(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\uFEFF]/gu, "")
    .trim();
}

/**
 * True if the text has more characters (code points) than the limit; does not scan a text that is far longer.
 */
export function isLongerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  return text.length > 2 * limit || [...text].length > limit;
}
