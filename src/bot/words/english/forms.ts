/** How a language writes numbers, amounts, durations and lists. */
export function formsOf(locale: string, units: "short" | "long" = "short") {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  const shares = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const lists = new Intl.ListFormat(locale, { type: "conjunction" });
  const unit = (name: "millisecond" | "second" | "minute", digits: number) =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: units,
      maximumFractionDigits: digits,
    });
  const [millisecond, second, tenth, minute] = [
    unit("millisecond", 0),
    unit("second", 0),
    unit("second", 1),
    unit("minute", 0),
  ] as const;
  const byte = new Intl.NumberFormat(locale, { style: "unit", unit: "byte", unitDisplay: "long" });
  const number = (value: number): string => numbers.format(value);
  /** The form that goes with an amount. */
  const plural = (amount: number, forms: Plurals): string => forms[rules.select(amount)] ?? forms.other;
  const listed = (names: readonly string[]): string => lists.format(names);

  return {
    number,
    plural,
    listed,
    /** "3 Bilder" */
    count: (amount: number, forms: Plurals): string => `${number(amount)} ${plural(amount, forms)}`,
    /** With exactly so many digits after the point. */
    decimal: (value: number, digits: number): string =>
      value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    percent: (share: number): string => shares.format(share),
    /** The first ten numbers, and how many more there are. */
    numbers: (values: readonly number[], more: (rest: number) => string): string => {
      const shown = values.slice(0, NUMBERS_MAX).map(number);
      const rest = values.length - shown.length;
      return listed(rest === 0 ? shown : [...shown, more(rest)]);
    },
    /** 950 -> "950 ms", 12345 -> "12,3 s", 185000 -> "3 min 5 s"; seconds of 0 are left out. */
    duration: (ms: number): string => {
      if (ms < 1000) return millisecond.format(Math.round(ms));
      if (ms < 60_000) return tenth.format(ms / 1000);
      const seconds = Math.round(ms / 1000);
      const rest = seconds % 60;
      const minutes = minute.format(Math.floor(seconds / 60));
      return rest === 0 ? minutes : `${minutes} ${second.format(rest)}`;
    },
    bytes: (bytes: number): string => {
      if (bytes < 1024) return byte.format(bytes);
      const [size, name] = bytes < 1024 ** 2 ? [bytes / 1024, "KiB"] : [bytes / 1024 ** 2, "MiB"];
      return `${number(Math.round(size * 10) / 10)} ${name}`;
    },
  };
}

/** How many numbers a sentence lists. */
const NUMBERS_MAX = 10;

/** The forms of a noun that a language has. */
export type Plurals = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };
