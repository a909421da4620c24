import { MessageFlags } from "discord.js";
import type { ApiMessage, FileInput, InteractionHandle, Member } from "local-discord/testing";
import { expect, vi } from "vitest";

/** Whether a message has a button with this label. */
export const hasButton = (message: ApiMessage, label: string): boolean =>
  message.components.some((row) => row.components?.some((it) => it.label === label));

/** Attaches a file and presses Start on the draft; the answer then becomes the job's message. */
export async function startBatch(
  member: Member,
  file: FileInput,
  options: Record<string, string | number | boolean> = {},
  channel = "general",
): Promise<InteractionHandle> {
  const handle = await member.slash("batch", { file, ...options }, { channel });
  await handle.waitFor((message) => hasButton(message, "Start"));
  await member.press(handle.message, "Start");
  await handle.waitFor((message) => !hasButton(message, "Start"));
  return handle;
}

/** The private message that took the place of a public answer, of which nothing is left. */
export async function toldPrivately(handle: InteractionHandle): Promise<ApiMessage> {
  return vi.waitFor(() => {
    expect(handle.message).toBeNull();
    expect(handle.followUps).toHaveLength(1);
    const [told] = handle.followUps;
    expect(told!.flags & MessageFlags.Ephemeral).toBe(MessageFlags.Ephemeral);
    return told!;
  }, 20_000);
}
