/** A value of a CSV file that people open in a spreadsheet. */
export type Cell = string | number | null | undefined;

/** Of csv-stringify, for RFC 4180. */
export const CSV_OPTIONS = { record_delimiter: "\r\n", quoted_match: /['\r\n]/ } as const;

/**
 * Spreadsheets take a text that begins like this for a formula, and run it. `parsePromptFile` removes the
 * mark again, so one that is already there is marked too; csv-stringify's `escape_formulas` would leave it.
 */
const FORMULA = /^'*[=+\-@\t\r]/;

/** The text of a cell, with five decimals at most. */
export function cellText(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return FORMULA.test(value) ? `'${value}` : value;
  // A seed may be as large as a number counts exactly, and must not be rounded.
  return String(Number.isInteger(value) ? value : Math.round(value * 1e5) / 1e5);
}
