/**
 * Which results were posted and which still have to be. The row says whether its result was, so it is posted
 * once.
 */
export interface Deliveries {
  /** Ids of the finished jobs whose message was neither delivered nor given up, oldest first. */
  undelivered(): Promise<string[]>;
  /**
   * These three throw QueueError INTERNAL for a job that is not finished. `Delivery.attempts` counts failed
   * deliveries.
   */
  delivered(id: string, messageId: string | null): Promise<void>;
  deliveryFailed(id: string, detail: string): Promise<void>;
  abandonDelivery(id: string, reason: string): Promise<void>;

  /** Sheets of unfinished jobs that were not posted yet, oldest first. */
  unsettledSheets(): Promise<{ jobId: string; number: number }[]>;
  /** Records that a sheet was posted or will not be. An unknown sheet is ignored. */
  settleSheet(id: string, number: number): Promise<void>;
}
