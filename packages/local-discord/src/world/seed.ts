import { ALL_PERMISSIONS, Permission } from "./permissions.js";
import type { DiscordState } from "./state.js";

/**
 * The world of a fresh local Discord: the guild "Studio" with the channels general, gallery, read-only (where
 * the bot may not write), after-dark (age-restricted) and staff (admins and the bot only); the guild
 * "Elsewhere" without the bot, where only user-installed commands work; a direct message between alice and
 * bob; and the users alice and bob (members), and admin (who owns the guilds). alice has added the app to her
 * account.
 */
export function seedStudio(state: DiscordState): void {
  const admin = state.addUser("admin", { globalName: "Admin" });
  const alice = state.addUser("alice", { globalName: "Alice" });
  const bob = state.addUser("bob", { globalName: "Bob" });
  const guild = state.addGuild("Studio", admin);
  const admins = state.addRole(guild, "Admins", { permissions: ALL_PERMISSIONS, color: 0xe0a030 });
  const painters = state.addRole(guild, "Painters", { color: 0x4fa38a, mentionable: true });
  guild.members.get(admin.id)?.roleIds.push(admins);
  state.addMember(guild, alice, [painters]);
  state.addMember(guild, bob);
  state.addChannel(guild, "general", { topic: "Say hello, try a command" });
  state.addChannel(guild, "gallery", { topic: "Pictures and how they were made" });
  state.addChannel(guild, "read-only", {
    topic: "The bot may answer commands here, but not post by itself",
    overwrites: [{ id: state.bot.id, type: 1, allow: 0n, deny: Permission.sendMessages }],
  });
  state.addChannel(guild, "after-dark", { topic: "Age-restricted", nsfw: true });
  state.addChannel(guild, "staff", {
    topic: "Only admins see this",
    overwrites: [
      { id: guild.id, type: 0, allow: 0n, deny: Permission.viewChannel },
      { id: state.bot.id, type: 1, allow: Permission.viewChannel, deny: 0n },
    ],
  });
  const elsewhere = state.addGuild("Elsewhere", admin, { withBot: false });
  state.addMember(elsewhere, alice);
  state.addMember(elsewhere, bob);
  state.addChannel(elsewhere, "lounge", {
    topic: "The bot is not in this server, but apps that you installed work here",
  });
  state.installs.add(alice.id);
  state.privateChannel(alice, bob);
  for (const user of [admin, alice, bob]) state.directMessage(user);
}
