import type { Output } from "./parts/output.js";

export interface LocalDiscordFlags {
  readonly port: number;
  readonly token?: string;
  readonly name: string;
  readonly folder?: string;
}

/** Runs a local Discord for any bot until stopped, and prints how to connect a bot to it. */
export async function localDiscord(output: Output, flags: LocalDiscordFlags): Promise<void> {
  const { startLocalDiscord } = await import("local-discord");
  const local = await startLocalDiscord({
    port: flags.port,
    botName: flags.name,
    ...(flags.token === undefined ? {} : { token: flags.token }),
    ...(flags.folder === undefined ? {} : { folder: flags.folder }),
  });
  output.result(
    {
      url: local.url,
      api: local.apiUrl,
      cdn: local.cdnUrl,
      token: local.token,
      applicationId: local.applicationId,
      guildId: local.guildId,
    },
    [
      `A local Discord runs here. Open  ${local.url}`,
      "",
      "In your bot (discord.js):",
      `  new Client({ intents, rest: { api: "${local.apiUrl}", cdn: "${local.cdnUrl}" } })`,
      `  client.login("${local.token}")`,
      "To register commands:",
      `  new REST({ api: "${local.apiUrl}" }).setToken("${local.token}")`,
      `  application ${local.applicationId}, server ${local.guildId}`,
      "",
      "It speaks to this machine only. Ctrl+C stops it.",
    ].join("\n"),
  );
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await local.close();
}
