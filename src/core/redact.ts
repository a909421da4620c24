/** In place of a secret. */
const HIDDEN = "[token]";

/**
 * Tokens by their shape: a bot's (three parts of base64url, the first an id of 17 to 20 digits) and those that Discord's
 * URLs carry, with which anyone can write in our name for a quarter of an hour.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}/g, HIDDEN],
  [/(\/(?:webhooks|interactions)\/\d+\/)[\w.%-]{20,}/g, `$1${HIDDEN}`],
  [/\b((?:Bot|Bearer) )[\w.-]{20,}/g, `$1${HIDDEN}`],
];
/** A shorter "secret" would black out words. */
const SECRET_MIN = 8;

/**
 * A function that takes secrets out of a text: those that are given, as they are and as JSON or a URL spell them, and
 * whatever has the shape of a token. For all that leaves the program as words: the log, crash reports, the command line.
 */
export function redactor(secrets: readonly string[] = []): (text: string) => string {
  const spelled = secrets
    .map((secret) => secret.trim())
    .filter((secret) => secret.length >= SECRET_MIN)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const known = [...new Set(spelled)];
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, HIDDEN);
    for (const [shape, replacement] of SHAPES) clean = clean.replace(shape, replacement);
    return clean;
  };
}
