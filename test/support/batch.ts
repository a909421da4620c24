import type { ApiMessage, FileInput, InteractionHandle, Member } from "local-discord/testing";

/** Whether a message has a button of this name. */
export const hasButton = (message: ApiMessage, label: string): boolean =>
  message.components.some((row) => row.components?.some((it) => it.label === label));

/** Attaches a file and says yes to what it comes to; the answer's message is the job's from then on. */
export async function startBatch(
  member: Member,
  file: FileInput,
  options: Record<string, string | number> = {},
  channel = "general",
): Promise<InteractionHandle> {
  const handle = await member.slash("batch", { file, ...options }, { channel });
  await handle.waitFor((message) => hasButton(message, "Start"));
  await member.press(handle.message, "Start");
  await handle.waitFor((message) => !hasButton(message, "Start"));
  return handle;
}
