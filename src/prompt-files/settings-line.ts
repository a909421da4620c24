/** The values in A1111's quotes: JSON texts. Only one that ends before a comma or the line's end is one. */
const QUOTED = /"(?:\\.|[^\\"])+"(?=\s{0,9}(?:,|$))/suy;

/**
 * The names and values of a line `Steps: 20, Sampler: Euler a, Lora hashes: "a: 1, b: 2"`, as A1111 reads it
 * (`re_param` in its modules/infotext_utils.py). In linear time.
 */
export function settingPairs(line: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  let colon = -1;
  for (let at = 0; ; ) {
    if (colon < at) colon = line.indexOf(":", at);
    if (colon === -1) return pairs;
    const comma = line.indexOf(",", at);
    if (comma !== -1 && comma < colon) {
      at = comma + 1;
      continue;
    }
    const name = line.slice(at, colon).trim();
    const start = colon + 1 + (/^\s{0,99}/.exec(line.slice(colon + 1, colon + 100))?.[0].length ?? 0);
    QUOTED.lastIndex = start;
    const quoted = QUOTED.exec(line)?.[0];
    const stop = line.indexOf(",", start + (quoted?.length ?? 0));
    const end = stop === -1 ? line.length : stop;
    if (name !== "")
      pairs.push([name, quoted === undefined ? line.slice(start, end).trim() : unquoted(quoted)]);
    at = end + 1;
  }
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text.slice(1, -1);
  }
}
