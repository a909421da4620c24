import type { Deliveries } from "./deliveries.js";
import type { Drafts } from "./drafts.js";
import type { Favourites } from "./favourites.js";
import type { Hosts } from "./hosts.js";
import type { Lessons } from "./lessons.js";
import type { Queue } from "./queue.js";
import type { Records } from "./records.js";
import type { StoredSettings } from "./settings.js";
import type { Styles } from "./styles.js";
import type { Usage } from "./usage.js";
import type { Votes } from "./votes.js";

/**
 * Everything the program stores, by concern. An engine implements these contracts; callers outside `db` do
 * not know which engine it is.
 */
export interface Store {
  readonly queue: Queue;
  readonly deliveries: Deliveries;
  readonly records: Records;
  readonly votes: Votes;
  readonly lessons: Lessons;
  readonly settings: StoredSettings;
  readonly drafts: Drafts;
  readonly styles: Styles;
  readonly usage: Usage;
  readonly favourites: Favourites;
  readonly hosts: Hosts;
  close(): Promise<void>;
}
