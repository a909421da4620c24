import { z } from "zod";
import { parseForm, snowflake } from "../forms/parse.js";
import { apiErrors } from "../protocol/errors.js";
import { guildPermissions, Permission } from "../world/permissions.js";
import type { GuildRecord } from "../world/records.js";
import { channelView, guildView, memberView, roleView, userView } from "../world/views.js";
import { buckets } from "./buckets.js";
import { type ApiRequest, ok, type RestContext, type Route } from "./router.js";

const openDirectMessage = z.strictObject({ recipient_id: snowflake });

/** Resources that a bot mostly reads: gateway address, itself, users, guilds, channels. */
export function resourceRoutes(route: Route, rest: RestContext): void {
  const { state } = rest;

  const botGuilds = () => [...state.guilds.values()].filter((it) => it.members.has(state.bot.id));
  const guildOf = (request: ApiRequest): GuildRecord => {
    const guild = state.guilds.get(request.params.guild_id ?? "");
    if (guild === undefined) throw apiErrors.unknownGuild();
    if (!guild.members.has(state.bot.id)) throw apiErrors.missingAccess();
    return guild;
  };

  route("GET", "/gateway", { bucket: buckets.gatewayBot, auth: false }, () => ok({ url: rest.gatewayUrl() }));
  route("GET", "/gateway/bot", { bucket: buckets.gatewayBot }, () => {
    const { total, remaining, resetAfterMs } = state.sessionStarts;
    return ok({
      url: rest.gatewayUrl(),
      shards: Math.max(1, Math.ceil(botGuilds().length / state.limits.advisedGuildsPerShard)),
      session_start_limit: { total, remaining, reset_after: resetAfterMs, max_concurrency: 1 },
    });
  });

  route("GET", "/users/@me", { bucket: buckets.self }, () =>
    ok({ ...userView(state.bot), verified: true, mfa_enabled: true, locale: "en-US", email: null }),
  );
  route("GET", "/users/@me/guilds", { bucket: buckets.self }, () =>
    ok(
      botGuilds().map((guild) => ({
        id: guild.id,
        name: guild.name,
        icon: null,
        banner: null,
        owner: false,
        permissions: guildPermissions(guild, state.bot.id).toString(),
        features: [],
      })),
    ),
  );
  route("POST", "/users/@me/channels", { bucket: buckets.openDirectMessage }, (request) => {
    const { recipient_id: id } = parseForm(openDirectMessage, request.body ?? {});
    const user = state.users.get(id);
    if (user === undefined) throw apiErrors.unknownUser();
    if (user.bot) throw apiErrors.cannotMessageUser();
    return ok(channelView(state, state.directMessage(user)));
  });
  route("GET", "/users/:user_id", { bucket: buckets.self }, (request) => {
    const user = state.users.get(request.params.user_id ?? "");
    if (user === undefined) throw apiErrors.unknownUser();
    return ok(userView(user));
  });

  for (const path of ["/applications/@me", "/oauth2/applications/@me"]) {
    route("GET", path, { bucket: buckets.application }, () => ok(applicationView(rest)));
  }

  route("GET", "/channels/:channel_id", { bucket: buckets.channelRead }, (request) => {
    const channel = state.channels.get(request.params.channel_id ?? "");
    if (channel === undefined) throw apiErrors.unknownChannel();
    if ((state.permissions(channel, state.bot.id) & Permission.viewChannel) === 0n)
      throw apiErrors.missingAccess();
    return ok(channelView(state, channel));
  });

  route("GET", "/guilds/:guild_id", { bucket: buckets.guildRead }, (request) => {
    const guild = guildOf(request);
    const counts =
      request.query.with_counts === "true"
        ? { approximate_member_count: guild.members.size, approximate_presence_count: guild.members.size }
        : {};
    return ok({ ...guildView(guild), ...counts });
  });
  route("GET", "/guilds/:guild_id/channels", { bucket: buckets.guildRead }, (request) =>
    ok(
      guildOf(request).channelIds.flatMap((id) => {
        const channel = state.channels.get(id);
        return channel === undefined ? [] : [channelView(state, channel)];
      }),
    ),
  );
  route("GET", "/guilds/:guild_id/roles", { bucket: buckets.guildRead }, (request) => {
    const guild = guildOf(request);
    return ok([...guild.roles.values()].map((role) => roleView(role, guild.id)));
  });
  route("GET", "/guilds/:guild_id/members/:user_id", { bucket: buckets.guildRead }, (request) => {
    const named = request.params.user_id ?? "";
    const member = guildOf(request).members.get(named === "@me" ? state.bot.id : named);
    if (member === undefined) throw apiErrors.unknownMember();
    return ok(memberView(state, member));
  });
}

function applicationView({ state }: RestContext): Record<string, unknown> {
  const owner = [...state.users.values()].find((user) => !user.bot) ?? state.bot;
  return {
    id: state.applicationId,
    name: state.bot.username,
    icon: null,
    description: "",
    type: null,
    bot: userView(state.bot),
    bot_public: false,
    bot_require_code_grant: false,
    verify_key: "0".repeat(64),
    flags: 0,
    flags_new: "0",
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: userView(owner),
    approximate_guild_count: [...state.guilds.values()].filter((it) => it.members.has(state.bot.id)).length,
    approximate_user_install_count: state.installs.size,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    team: null,
    eligible_oauth2_scopes: [],
    integration_types_config: { "0": {}, "1": {} },
  };
}
