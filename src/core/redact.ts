/** Replaces a secret. */
const HIDDEN = "[token]";

/**
 * Secrets by their shape: a bot's token (three parts of base64url, the first an id of 17 to 20 digits), those
 * in Discord's URLs, with which anyone could post as the bot for 15 minutes, and the name and password in an
 * address.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}/g, HIDDEN],
  [/(\/(?:webhooks|interactions)\/\d+\/)[\w.%-]{20,}/g, `$1${HIDDEN}`],
  [/:\/\/[^\s/?#"\\]*@/g, `://${HIDDEN}@`],
  [/\b((?:Bot|Bearer) )[\w.-]{20,}/g, `$1${HIDDEN}`],
];
/** Shorter secrets are ignored: they would match ordinary words. */
const SECRET_MIN = 8;

/**
 * Returns a function that removes secrets from a text: the given ones, plain or encoded as JSON or in a URL,
 * and anything shaped like a token. Used for every text that leaves the program: the log, crash reports, the
 * command line.
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
