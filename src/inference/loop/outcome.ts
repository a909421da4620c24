import type { ErrorCode } from "../../core/errors.js";

/** What a stage of work came to. Stages return outcomes; a throw means a bug and is caught once, in the loop. */
export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "retry"; readonly afterMs: number; readonly code: ErrorCode; readonly detail: string }
  | { readonly kind: "fail"; readonly code: ErrorCode; readonly detail: string }
  | { readonly kind: "cancelled" };
