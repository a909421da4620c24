import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  PermissionFlagsBits,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { Job } from "../../core/job.js";
import { replyPrivately } from "../discord/interactions.js";
import { hostsMessage } from "../messages/hosts-message.js";
import { wholeLines } from "../messages/parts/whole-lines.js";
import { adminLines } from "../words/english/admin.js";
import { commandTexts } from "../words/english/commands.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";
import { completeFailedJob, completeHost } from "./completions.js";

const texts = commandTexts.admin;
const SHOWN = 10;

const job = {
  type: ApplicationCommandOptionType.String as const,
  name: "job",
  description: texts.job,
  required: true,
  max_length: 64,
  autocomplete: true,
};
const host = {
  type: ApplicationCommandOptionType.String as const,
  name: "host",
  description: texts.host,
  max_length: 100,
  autocomplete: true,
};
/** As many jobs as a message holds whole, and how many more there are. */
function failedJobs(jobs: readonly Job[]): string {
  if (jobs.length === 0) return adminLines.noneFailed;
  const lines = jobs.map((it) => `${adminLines.failed(it)} ${adminLines.failedAt(it)}`);
  return wholeLines(lines, adminLines.moreFailed);
}

const sub = (name: string, description: string, options: (typeof job | typeof host)[] = []) => ({
  type: ApplicationCommandOptionType.Subcommand as const,
  name,
  description,
  options,
});

/**
 * `/admin`: the whole queue and the machine, for the users that the configuration names, else the bot's
 * owner.
 */
export const admin: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "admin",
    description: texts.description,
    // Also in DMs, for an owner who manages no server.
    contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
    integration_types: [ApplicationIntegrationType.GuildInstall],
    default_member_permissions: String(PermissionFlagsBits.ManageGuild),
    options: [
      sub("status", texts.status),
      sub("hosts", texts.hosts),
      sub("pause", texts.pause, [host]),
      sub("resume", texts.resume, [host]),
      sub("failed", texts.failed),
      sub("retry", texts.retry, [job]),
      sub("drop", texts.drop, [job]),
    ],
  }),

  complete: (interaction, services) =>
    interaction.options.getFocused(true).name === "host"
      ? completeHost(interaction, services)
      : completeFailedJob(interaction, services),

  async run(interaction, services) {
    if (!(await services.operators()).includes(interaction.user.id)) {
      throw new InputError("NOT_OPERATOR", "Only who runs the bot may do this.");
    }
    const { queue, records, machine, pictures, hosts, fleet } = services;
    switch (interaction.options.getSubcommand()) {
      case "status":
        return replyPrivately(
          interaction,
          [
            adminLines.depth(await queue.depth(), await queue.paused()),
            ...(machine === null ? [] : adminLines.machine(machine())),
          ].join("\n"),
        );
      case "hosts":
        return replyPrivately(interaction, hostsMessage(await fleet(), wordsOf(interaction.locale)));
      case "pause":
      case "resume": {
        const isPaused = interaction.options.getSubcommand() === "pause";
        const name = interaction.options.getString("host");
        if (name !== null) {
          const { hostLines } = wordsOf(interaction.locale);
          const shown = `\`${name.replaceAll("`", "'")}\``;
          if (!(await hosts.setPaused(name.trim(), isPaused)))
            return replyPrivately(interaction, hostLines.unknown(shown));
          return replyPrivately(interaction, hostLines[isPaused ? "hostPaused" : "hostResumed"](shown));
        }
        await queue.setPaused(isPaused);
        return replyPrivately(interaction, isPaused ? adminLines.paused : adminLines.resumed);
      }
      case "failed": {
        const jobs = await records.setAside(SHOWN);
        return replyPrivately(interaction, failedJobs(jobs));
      }
      case "retry": {
        const id = interaction.options.getString("job", true);
        if ((await queue.requeue(id)) === undefined)
          return replyPrivately(interaction, adminLines.notFailed(id));
        return replyPrivately(interaction, adminLines.retried(id));
      }
      case "drop": {
        const id = interaction.options.getString("job", true);
        const dropped = (await queue.get(id))?.state === "failed" && (await records.drop(id));
        if (!dropped) return replyPrivately(interaction, adminLines.notFailed(id));
        await pictures.remove(id);
        return replyPrivately(interaction, adminLines.dropped(id));
      }
    }
  },
};
