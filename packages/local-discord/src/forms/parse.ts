import { z } from "zod";
import { invalidForm } from "../protocol/errors.js";

/** Adds a field error that zod cannot express; goes into the tree unchanged. */
export function complain(context: z.RefinementCtx, path: PropertyKey[], code: string, message: string): void {
  context.addIssue({ code: "custom", path, message, params: { discord: code } });
}

/** An optional field: Discord treats null as absent nearly everywhere. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A string of `min` to `max` UTF-16 code units. */
export function text(max: number, min = 0) {
  return z.string().min(min).max(max);
}

export const snowflake = z
  .union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative()])
  .transform((value) => String(value));

/**
 * Checks a body against a form.
 * @throws ApiError 50035 with a tree of field paths; unknown fields are errors too, and named
 */
export function parseForm<T>(form: z.ZodType<T>, body: unknown): T {
  const result = form.safeParse(body);
  if (result.success) return result.data;
  throw invalidForm(result.error.issues.flatMap((issue) => translate(issue, body)));
}

interface FormField {
  path: PropertyKey[];
  code: string;
  message: string;
}

function translate(issue: z.core.$ZodIssue, body: unknown): FormField[] {
  const { path } = issue;
  const field = (code: string, message: string): FormField[] => [{ path: [...path], code, message }];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        code: "LOCAL_UNKNOWN_FIELD",
        message: `Unknown field "${key}": the local Discord does not know it here`,
      }));
    case "invalid_type":
      return valueAt(body, path) === undefined || valueAt(body, path) === null
        ? field("BASE_TYPE_REQUIRED", "This field is required")
        : field(
            `${issue.expected.toUpperCase()}_TYPE_CONVERT`,
            `Could not interpret value as ${issue.expected}.`,
          );
    case "too_big":
      return issue.origin === "string" || issue.origin === "array"
        ? field("BASE_TYPE_MAX_LENGTH", `Must be ${issue.maximum} or fewer in length.`)
        : field("NUMBER_TYPE_MAX", `${issue.origin} value should be less than or equal to ${issue.maximum}.`);
    case "too_small":
      return issue.origin === "string" || issue.origin === "array"
        ? field("BASE_TYPE_MIN_LENGTH", `Must be ${issue.minimum} or more in length.`)
        : field(
            "NUMBER_TYPE_MIN",
            `${issue.origin} value should be greater than or equal to ${issue.minimum}.`,
          );
    case "invalid_value":
      return field("BASE_TYPE_CHOICES", `Value must be one of {${issue.values.map(String).join(", ")}}.`);
    case "invalid_format":
      return field("STRING_TYPE_REGEX", "String value did not match validation regex.");
    case "invalid_union":
      // No alternative matched: report the one that got furthest (the first of them).
      return issue.errors.length === 0
        ? field("UNION_TYPE_CHOICES", `Value of field "${issue.discriminator ?? "type"}" is not known here.`)
        : furthest(issue.errors).flatMap((inner) =>
            translate({ ...inner, path: [...path, ...inner.path] } as z.core.$ZodIssue, body),
          );
    case "custom": {
      const code: unknown = issue.params?.discord;
      return field(typeof code === "string" ? code : "BASE_TYPE_INVALID", issue.message);
    }
    default:
      return field("BASE_TYPE_INVALID", issue.message);
  }
}

function furthest(alternatives: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const depth = (issues: readonly z.core.$ZodIssue[]) =>
    Math.max(...issues.map((issue) => issue.path.length));
  return [...alternatives].sort((a, b) => depth(b) - depth(a))[0] ?? [];
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
