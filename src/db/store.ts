import type { Deliveries } from "./deliveries.js";
import type { Drafts } from "./drafts.js";
import type { Queue } from "./queue.js";
import type { Records } from "./records.js";
import type { StoredSettings } from "./settings.js";
import type { Votes } from "./votes.js";

/** All that the program stores, by concern. An engine fulfils the six contracts; nobody outside `db` knows which one. */
export interface Store {
  readonly queue: Queue;
  readonly deliveries: Deliveries;
  readonly records: Records;
  readonly votes: Votes;
  readonly settings: StoredSettings;
  readonly drafts: Drafts;
  close(): Promise<void>;
}
