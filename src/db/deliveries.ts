/**
 * What was told of finished jobs, and what is still to be told. A result is delivered once: the row says whether it was.
 */
export interface Deliveries {
  /** Ids of the finished jobs whose message was neither delivered nor given up, oldest first. */
  undelivered(): Promise<string[]>;
  /** These three are for finished jobs and throw for others. `Delivery.attempts` counts the failed ones. */
  delivered(id: string, messageId: string | null): Promise<void>;
  deliveryFailed(id: string, detail: string): Promise<void>;
  abandonDelivery(id: string, reason: string): Promise<void>;

  /** Sheets of unfinished jobs that were not posted yet, the oldest first. */
  unsettledSheets(): Promise<{ jobId: string; number: number }[]>;
  /** The sheet was posted, or is not to be; for an unknown one nothing happens. */
  settleSheet(id: string, number: number): Promise<void>;
}
