import {
  type Client,
  OAuth2Routes,
  OAuth2Scopes,
  PermissionFlagsBits,
  PermissionsBitField,
  Team,
  TeamMemberMembershipState,
  TeamMemberRole,
} from "discord.js";

/** What the bot needs to post a late result into the channel, and no more. */
const PERMISSIONS = [
  PermissionFlagsBits.ViewChannel,
  PermissionFlagsBits.SendMessages,
  PermissionFlagsBits.SendMessagesInThreads,
  PermissionFlagsBits.EmbedLinks,
  PermissionFlagsBits.AttachFiles,
];

/** The link that asks a server's manager to add the bot, with exactly the permissions that it needs. */
export function inviteUrl(applicationId: string): string {
  const url = new URL(OAuth2Routes.authorizationURL);
  url.searchParams.set("client_id", applicationId);
  url.searchParams.set("scope", [OAuth2Scopes.Bot, OAuth2Scopes.ApplicationsCommands].join(" "));
  url.searchParams.set("permissions", PermissionsBitField.resolve(PERMISSIONS).toString());
  return url.href;
}

/**
 * Ids of the users who may use `/admin` where the configuration names nobody: the owner of the Discord
 * application, or the members of its team who may do more than read. Managing a server that the bot was added
 * to is not enough: the queue and the machine serve all servers. Throws discord.js's error while Discord
 * can't be reached.
 */
export async function ownersOf(client: Client<true>): Promise<readonly string[]> {
  const { owner } = await client.application.fetch();
  if (!(owner instanceof Team)) return owner === null ? [] : [owner.id];
  return owner.members
    .filter(({ membershipState, role }) => {
      return membershipState === TeamMemberMembershipState.Accepted && role !== TeamMemberRole.ReadOnly;
    })
    .map(({ id }) => id);
}
