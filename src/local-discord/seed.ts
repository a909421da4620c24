import { ALL_PERMISSIONS, Permission } from "./permissions.js";
import type { DiscordState } from "./state.js";

/**
 * The world that a fresh local Discord starts with: one guild, "Studio", with the channels general, gallery and
 * read-only (where the bot may not write), and the users alice, bob and admin (who owns the guild).
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
  for (const user of [admin, alice, bob]) state.directMessage(user);
}
