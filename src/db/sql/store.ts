import type { Store } from "../store.js";
import { claiming } from "./claim.js";
import type { Connection } from "./connection.js";
import { sqlDeliveries } from "./deliveries.js";
import { sqlDrafts } from "./drafts.js";
import { enqueueing } from "./enqueue.js";
import { sqlFavourites } from "./favourites.js";
import { finishing } from "./finish.js";
import { sqlHosts } from "./hosts.js";
import { sqlLessons } from "./lessons.js";
import { showing } from "./line.js";
import { sqlRecords } from "./records.js";
import { keepingResults } from "./results.js";
import { sqlSettings } from "./settings.js";
import { sqlStyles } from "./styles.js";
import { sqlUsage } from "./usage.js";
import { sqlVotes } from "./votes.js";

export interface StoreOptions {
  /** Failed attempts after which a job is set aside as failed. */
  readonly maxAttempts?: number;
  /** Waiting jobs after which enqueue answers QUEUE_FULL. */
  readonly maxWaiting?: number;
}

/** The store over one engine's connection, which `close` closes. */
export function sqlStore(
  connection: Connection,
  { maxAttempts = 3, maxWaiting = 1_000 }: StoreOptions = {},
): Store {
  return {
    queue: {
      ...enqueueing(connection, maxWaiting),
      ...claiming(connection),
      ...keepingResults(connection),
      ...finishing(connection, maxAttempts),
      ...showing(connection),
    },
    deliveries: sqlDeliveries(connection),
    records: sqlRecords(connection),
    votes: sqlVotes(connection),
    lessons: sqlLessons(connection),
    settings: sqlSettings(connection),
    drafts: sqlDrafts(connection),
    styles: sqlStyles(connection),
    usage: sqlUsage(connection),
    favourites: sqlFavourites(connection),
    hosts: sqlHosts(connection),
    close: () => connection.close(),
  };
}
