import { type APIActionRowComponent, type APIButtonComponent, ButtonStyle, ComponentType } from "discord.js";
import { labels } from "./messages.js";

/**
 * What a press means. It is all in the custom id, so that a button lives as long as its message: state is looked up
 * in the queue by the job's id, and who may press is decided there, never by the id.
 */
export interface ButtonAction {
  readonly verb: "cancel";
  readonly jobId: string;
}

const CUSTOM_ID = /^(cancel):([\w-]{1,64})$/;

export const encodeCustomId = ({ verb, jobId }: ButtonAction): string => `${verb}:${jobId}`;

/** The action of a custom id, or null for an id that this program did not make. */
export function decodeCustomId(customId: string): ButtonAction | null {
  const [, verb, jobId] = CUSTOM_ID.exec(customId) ?? [];
  return verb === "cancel" && jobId !== undefined ? { verb, jobId } : null;
}

export type ButtonRow = APIActionRowComponent<APIButtonComponent>;

/** The row under a message that waits or runs. */
export function cancelRow(jobId: string, enabled: boolean): ButtonRow {
  return {
    type: ComponentType.ActionRow,
    components: [
      {
        type: ComponentType.Button,
        style: ButtonStyle.Secondary,
        label: labels.cancel,
        custom_id: encodeCustomId({ verb: "cancel", jobId }),
        disabled: !enabled,
      },
    ],
  };
}
