/**
 * Sentences in another language: the same names, each a text, or made from the same values. What is read of the
 * English is its shape alone.
 */
export type Translated<English> = English extends string
  ? string
  : English extends (...values: infer Values) => infer Said
    ? (...values: Values) => Translated<Said>
    : English extends readonly (infer One)[]
      ? readonly Translated<One>[]
      : English extends object
        ? { readonly [Name in keyof English]: Translated<English[Name]> }
        : English;

/** A translation that may lack some of its sentences. */
export type Unfinished<Words> = Words extends string | ((...values: never) => unknown) | readonly unknown[]
  ? Words
  : { readonly [Name in keyof Words]?: Unfinished<Words[Name]> };

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The names of the English sentences that a translation lacks, such as `statusLines.late`. */
export function missingIn(english: unknown, translation: unknown, path = ""): string[] {
  if (!isGroup(english)) return typeof english === typeof translation ? [] : [path];
  const found = isGroup(translation) ? translation : {};
  return Object.entries(english).flatMap(([name, said]) =>
    missingIn(said, found[name], path === "" ? name : `${path}.${name}`),
  );
}
