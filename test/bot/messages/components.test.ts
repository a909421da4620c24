import { describe, expect, it } from "vitest";
import { cancelRow, decodeCustomId, encodeCustomId } from "../../../src/bot/messages/parts/components.js";
import { english } from "../../../src/bot/words/english/english.js";

describe("custom ids", () => {
  it("carry the verb and the job", () => {
    const jobId = "n98q4nt4g9h5";
    expect(decodeCustomId(encodeCustomId("cancel", jobId))).toEqual({
      verb: "cancel",
      jobId,
      argument: null,
    });
    expect(decodeCustomId(encodeCustomId("vote", jobId, "tie"))).toEqual({
      verb: "vote",
      jobId,
      argument: "tie",
    });
    expect(cancelRow("n98q4nt4g9h5", false, null, english).components[0]).toMatchObject({
      custom_id: "cancel:n98q4nt4g9h5",
      disabled: true,
    });
  });

  it.each([
    "",
    "cancel",
    "cancel:",
    "cancel:a:b",
    "cancel:a b",
    "erase:abc",
    "vote:abc",
    "vote:abc:both",
    "constructor:abc",
    "cancel:../../etc",
    "cancel:a\n",
    `cancel:${"a".repeat(65)}`,
  ])("%j is not ours", (customId) => expect(decodeCustomId(customId)).toBeNull());
});
