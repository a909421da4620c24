import type { Style } from "../core/styles.js";

/** Whose styles: a server's, or those of a person in direct messages. */
export interface StyleOwner {
  readonly scope: "server" | "user";
  readonly id: string;
}

/** A style and who saved it. */
export interface StoredStyle extends Style {
  /** Null where that person was erased. */
  readonly savedBy: string | null;
  readonly savedAt: number;
}

/** What became of a style that was to be saved; `full`: its owner has the most that are kept. */
export type SavedStyle = "added" | "replaced" | "full";

/**
 * Styles of servers and people. Names are unique without case (`styleKey`). Callers check lengths before they write.
 * A read is cheap enough for every command. All methods throw QueueError when the database fails.
 */
export interface Styles {
  /** In the order of their names. */
  of(owner: StyleOwner): Promise<StoredStyle[]>;
  /** Saves all in one transaction, at most STYLE_MAX.styles for an owner; answers what became of each. */
  save(owner: StyleOwner, styles: readonly Style[], by: string): Promise<SavedStyle[]>;
  /** False if there was none. */
  remove(owner: StyleOwner, name: string): Promise<boolean>;
  /** Deletes a person's own styles, and from those of servers who saved them. */
  erase(userId: string): Promise<void>;
}
