/**
 * How the two best known readers take A1111's text apart, in our own words: A1111 itself (`parse_generation_parameters`
 * in modules/infotext_utils.py) and the metadata reader of civitai.com (automatic.metadata.ts).
 */

/** A1111: the last line has the settings if it has at least three; a value may be a JSON text. */
export function readLikeA1111(text: string): Record<string, string> {
  const setting = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
  const lines = text.trim().split("\n");
  const last = [...lines.at(-1)!.matchAll(setting)];
  const hasSettings = last.length >= 3;
  const found: Record<string, string> = { Prompt: "", "Negative prompt": "" };
  let to = "Prompt";
  for (const raw of hasSettings ? lines.slice(0, -1) : lines) {
    let line = raw.trim();
    if (line.startsWith("Negative prompt:")) {
      to = "Negative prompt";
      line = line.slice("Negative prompt:".length).trim();
    }
    found[to] += found[to] === "" ? line : `\n${line}`;
  }
  for (const [, key, value] of hasSettings ? last : [])
    found[key!] = value!.startsWith('"') && value!.endsWith('"') ? JSON.parse(value!) : value!;
  return found;
}

export interface CivitaiResource {
  readonly type: string;
  readonly name: string;
  readonly hash?: string;
  readonly weight?: number;
}

/** Civitai: the first line that begins with "Steps: "; what stands in quotes is a list of its own. */
export function readLikeCivitai(text: string): {
  prompt: string;
  negativePrompt: string;
  details: Record<string, unknown>;
  resources: CivitaiResource[];
} {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const at = lines.findIndex((line) => line.startsWith("Steps: "));
  const details = detailsOf(at === -1 ? "" : lines.splice(at, 1)[0]!);
  const [prompt = "", ...negative] = lines
    .join("\n")
    .split("Negative prompt:")
    .map((part) => part.trim());
  const resources: { type: string; name: string; hash?: string; weight?: number }[] = [
    ...prompt.matchAll(/<(lora|hypernet):([a-zA-Z0-9_.-]+):([0-9.]+)>/g),
  ].map(([, type, name, weight]) => ({ type: type!, name: name!, weight: Number(weight) }));
  for (const [name, hash] of Object.entries((details["Lora hashes"] ?? {}) as Record<string, string>)) {
    const named = resources.find((it) => it.name === name);
    if (named) named.hash = hash;
    else resources.push({ type: "lora", name, hash });
  }
  const { Model: model, "Model hash": hash } = details;
  if (typeof model === "string" && typeof hash === "string")
    resources.push({ type: "model", name: model, hash });
  return { prompt, negativePrompt: negative.join(" ").trim(), details, resources };
}

function detailsOf(line: string): Record<string, unknown> {
  const details: Record<string, unknown> = {};
  let key = "";
  let value = "";
  let isQuoted = false;
  for (const sign of line) {
    if (sign === '"') {
      if (isQuoted) {
        details[key] = detailsOf(value.trim());
        key = "";
      }
      isQuoted = !isQuoted;
    } else if (sign === ":" && !isQuoted) {
      key = value.trim();
      value = "";
    } else if (sign === "," && !isQuoted) {
      if (key !== "") details[key] = value.trim();
      key = "";
      value = "";
    } else value += sign;
  }
  if (key !== "") details[key] = value.trim();
  return details;
}
