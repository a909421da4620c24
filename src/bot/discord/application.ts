import { OAuth2Routes, OAuth2Scopes, PermissionFlagsBits, PermissionsBitField } from "discord.js";

/** What the bot needs to write a late result into the channel by itself, and no more. */
const PERMISSIONS = [
  PermissionFlagsBits.ViewChannel,
  PermissionFlagsBits.SendMessages,
  PermissionFlagsBits.SendMessagesInThreads,
  PermissionFlagsBits.EmbedLinks,
  PermissionFlagsBits.AttachFiles,
];

/** The address that asks a server's manager to let the bot in, with exactly the permissions that it needs. */
export function inviteUrl(applicationId: string): string {
  const url = new URL(OAuth2Routes.authorizationURL);
  url.searchParams.set("client_id", applicationId);
  url.searchParams.set("scope", [OAuth2Scopes.Bot, OAuth2Scopes.ApplicationsCommands].join(" "));
  url.searchParams.set("permissions", PermissionsBitField.resolve(PERMISSIONS).toString());
  return url.href;
}
