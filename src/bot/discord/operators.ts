import { type Client, Team, TeamMemberMembershipState, TeamMemberRole } from "discord.js";

/**
 * Who may use `/admin` where the configuration names nobody: the owner of the Discord application, or those of its
 * team who may do more than read. To manage a server that the bot was invited to is not enough: the queue and the
 * machine serve all servers. Throws what discord.js throws while Discord can't be reached.
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
