import { DiscordAPIError, HTTPError, REST } from "discord.js";
import { describe, expect, it } from "vitest";
import { faultOf, isAlreadyAcknowledged } from "../../../src/bot/discord/faults.js";

const apiError = (status: number, code: number) =>
  new DiscordAPIError({ code, message: "no" }, code, status, "PATCH", "https://discord.test", {
    body: undefined,
    files: undefined,
  });
const httpError = (status: number) =>
  new HTTPError(status, "no", "POST", "https://discord.test", { body: undefined, files: undefined });

describe("faultOf", () => {
  it.each([
    ["the token's 15 minutes are over", apiError(401, 50027), "token-gone"],
    ["the interaction is unknown", apiError(404, 10062), "token-gone"],
    ["the reply was deleted", apiError(404, 10008), "token-gone"],
    ["the webhook is unknown", apiError(404, 10015), "token-gone"],
    ["no access", apiError(403, 50001), "forbidden"],
    ["no permission", apiError(403, 50013), "forbidden"],
    ["the channel is gone", apiError(404, 10003), "forbidden"],
    ["direct messages are closed", apiError(403, 50007), "forbidden"],
    ["the body is too large", apiError(413, 40005), "too-large"],
    ["a file is too large", apiError(400, 50045), "too-large"],
    ["a proxy finds the body too large", httpError(413), "too-large"],
    ["the form is invalid", apiError(400, 50035), "refused"],
    ["the bot's token is not valid", apiError(401, 0), "unauthorized"],
    ["too many requests", apiError(429, 0), "transient"],
    ["Discord is down", httpError(503), "transient"],
    ["the network is down", Object.assign(new Error("refused"), { code: "ECONNREFUSED" }), "transient"],
    ["a time-out", new DOMException("aborted", "AbortError"), "transient"],
  ])("%s", (_what, error, expected) => {
    expect(faultOf(error)).toBe(expected);
  });

  it("knows the error of discord.js after it has dropped its token", async () => {
    const error = await new REST().post("/channels/1/messages").catch((thrown) => thrown);
    expect(faultOf(error)).toBe("unauthorized");
  });
});

describe("isAlreadyAcknowledged", () => {
  it.each([
    [apiError(400, 40060), true],
    [apiError(404, 10062), false],
    [new Error("40060"), false],
  ])("%s: %s", (error, expected) => expect(isAlreadyAcknowledged(error)).toBe(expected));
});
