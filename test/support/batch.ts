import type { ApiMessage, FileInput, InteractionHandle, Member } from "local-discord/testing";

/** Whether a message has a button with this label. */
export const hasButton = (message: ApiMessage, label: string): boolean =>
  message.components.some((row) => row.components?.some((it) => it.label === label));

/** Attaches a file and presses Start on the draft; the answer then becomes the job's message. */
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
