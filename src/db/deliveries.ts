/**
 * Which results were posted and which still have to be. The row says whether its result was, so it is posted
 * once.
 */
export interface Deliveries {
  /** Ids of the finished jobs whose message was neither delivered nor given up, oldest first; none that is to be erased. */
  undelivered(): Promise<string[]>;
  /**
   * These three throw QueueError INTERNAL for a job that is not finished. `Delivery.attempts` counts failed
   * deliveries.
   */
  delivered(id: string, messageId: string | null): Promise<void>;
  deliveryFailed(id: string, detail: string): Promise<void>;
  abandonDelivery(id: string, reason: string): Promise<void>;

  /** Notes the message of the reply to a job's command, so that erasing finds it. Unknown jobs are ignored. */
  replied(id: string, messageId: string): Promise<void>;
  /**
   * Notes a message about a job besides the reply to its command and its result, so that erasing finds it.
   * False if the job is erased already.
   */
  posted(id: string, channelId: string, messageId: string): Promise<boolean>;

  /** Sheets of unfinished jobs that were not posted yet, oldest first. */
  unsettledSheets(): Promise<{ jobId: string; number: number }[]>;
  /** Records that a sheet was posted or will not be. An unknown sheet is ignored. */
  settleSheet(id: string, number: number): Promise<void>;
}
