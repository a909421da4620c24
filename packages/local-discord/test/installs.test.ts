import {
  ApplicationCommandType,
  ApplicationIntegrationType,
  CheckboxBuilder,
  CheckboxGroupBuilder,
  type Client,
  ContextMenuCommandBuilder,
  Events,
  FileUploadBuilder,
  type Interaction,
  InteractionContextType,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  RadioGroupBuilder,
  RoleSelectMenuBuilder,
  Routes,
  SlashCommandBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
} from "discord.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandType, type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { connect, errors } from "./support/sample-bot.js";

/** Context menus, user installations, and modals of the newer kind. */

let local: LocalDiscord;
let bot: Client<true>;
const seen: Interaction[] = [];

beforeAll(async () => {
  local = await startLocalDiscord();
  bot = await connect(local);
  const everywhere = <T extends SlashCommandBuilder | ContextMenuCommandBuilder>(it: T): T => {
    it.setIntegrationTypes(ApplicationIntegrationType.GuildInstall, ApplicationIntegrationType.UserInstall);
    it.setContexts(
      InteractionContextType.Guild,
      InteractionContextType.BotDM,
      InteractionContextType.PrivateChannel,
    );
    return it;
  };
  await bot.application.commands.set(
    [
      everywhere(new SlashCommandBuilder().setName("hello").setDescription("Says hello")),
      new SlashCommandBuilder()
        .setName("adult")
        .setDescription("Only in age-restricted channels")
        .setNSFW(true),
      new SlashCommandBuilder().setName("form").setDescription("Opens a form"),
      new SlashCommandBuilder().setName("choices").setDescription("Opens a form of choices"),
      everywhere(
        new ContextMenuCommandBuilder().setName("Count words").setType(ApplicationCommandType.Message),
      ),
      new ContextMenuCommandBuilder().setName("Who is this").setType(ApplicationCommandType.User),
    ].map((it) => it.toJSON()),
  );
  bot.on(Events.InteractionCreate, async (interaction) => {
    seen.push(interaction);
    if (interaction.isMessageContextMenuCommand()) {
      await interaction.reply(`${interaction.targetMessage.content.split(" ").length} words`);
    } else if (interaction.isUserContextMenuCommand()) {
      await interaction.reply({
        content: `This is ${interaction.targetUser.username}`,
        flags: MessageFlags.Ephemeral,
      });
    } else if (interaction.isChatInputCommand() && /form|choices/.test(interaction.commandName)) {
      await interaction.showModal(interaction.commandName === "form" ? form() : choices());
    } else if (interaction.isModalSubmit()) {
      const { fields } = interaction;
      const parts =
        interaction.customId === "form"
          ? [
              fields.getTextInputValue("about"),
              fields.getStringSelectValues("style").join("+"),
              fields.getSelectedRoles("who")?.first()?.name,
              ...(fields.getUploadedFiles("files")?.map((it) => it.name) ?? []),
            ]
          : [
              fields.getRadioGroup("size"),
              fields.getCheckboxGroup("extras").join("+"),
              String(fields.getCheckbox("public")),
            ];
      await interaction.reply(parts.join(" | "));
    } else if (interaction.isRepliable()) {
      await interaction.reply("hello");
    }
  });
});
afterAll(async () => {
  await bot.destroy();
  await local.close();
  expect(errors).toEqual([]);
  expect(await local.spec?.check(true)).toEqual([]);
});

const option = (value: string) => ({ label: value.toUpperCase(), value });

function choices(): ModalBuilder {
  return new ModalBuilder()
    .setCustomId("choices")
    .setTitle("Choices")
    .addLabelComponents(
      new LabelBuilder()
        .setLabel("Size")
        .setRadioGroupComponent(
          new RadioGroupBuilder().setCustomId("size").addOptions(option("small"), option("large")),
        ),
      new LabelBuilder()
        .setLabel("Extras")
        .setCheckboxGroupComponent(
          new CheckboxGroupBuilder()
            .setCustomId("extras")
            .setMinValues(0)
            .setRequired(false)
            .addOptions(option("frame"), option("gloss")),
        ),
      new LabelBuilder()
        .setLabel("Public")
        .setCheckboxComponent(new CheckboxBuilder().setCustomId("public").setDefault(true)),
    );
}

function form(): ModalBuilder {
  return new ModalBuilder()
    .setCustomId("form")
    .setTitle("A form")
    .addTextDisplayComponents(new TextDisplayBuilder().setContent("Please **fill in**"))
    .addLabelComponents(
      new LabelBuilder()
        .setLabel("About")
        .setTextInputComponent(new TextInputBuilder().setCustomId("about").setStyle(TextInputStyle.Short)),
    )
    .addLabelComponents(
      ...[
        new LabelBuilder()
          .setLabel("Style")
          .setStringSelectMenuComponent(
            new StringSelectMenuBuilder()
              .setCustomId("style")
              .setMaxValues(2)
              .addOptions(option("oil"), option("ink")),
          ),
        new LabelBuilder()
          .setLabel("Who")
          .setRoleSelectMenuComponent(new RoleSelectMenuBuilder().setCustomId("who")),
      ],
    )
    .addLabelComponents(
      new LabelBuilder()
        .setLabel("Files")
        .setFileUploadComponent(
          new FileUploadBuilder().setCustomId("files").setMinValues(1).setMaxValues(2).setRequired(true),
        ),
    );
}

test("a message command gets the message, and its answer carries the command's name", async () => {
  const said = local.member("bob").say("one two three");
  const handle = await local.member("alice").menu("Count words", said);
  expect(handle.message).toMatchObject({
    content: "3 words",
    type: 23,
    interaction: { name: "Count words" },
  });
  expect(handle.message?.interaction_metadata).toMatchObject({ target_message_id: said.id });
  await expect(local.member("alice").menu("Who is this", said)).rejects.toThrow(/to use on a message/);
});

test("a user command gets the user", async () => {
  const handle = await local.member("alice").menu("Who is this", "bob");
  expect(handle.message?.content).toBe("This is bob");
  expect(handle.ephemeral).toBe(true);
  expect(local.member("alice").commands("general", CommandType.user)).toEqual(["Who is this"]);
});

test("an age-restricted command is offered only in age-restricted channels", async () => {
  expect(local.member("alice").commands("general")).not.toContain("adult");
  expect(local.member("alice").commands("after-dark")).toContain("adult");
  const channel = await bot.channels.fetch(local.channelId("after-dark"));
  expect(channel && "nsfw" in channel && channel.nsfw).toBe(true);
});

test("in a guild without the bot, only user-installed commands work, and only for that user", async () => {
  const [alice, bob] = [local.member("alice"), local.member("bob")];
  expect(alice.commands("lounge")).toEqual(["hello"]);
  expect(bob.commands("lounge")).toEqual([]);
  const handle = await alice.slash("hello", {}, { channel: "lounge" });
  expect(handle.message?.content).toBe("hello");
  expect(seen.at(-1)?.authorizingIntegrationOwners).toMatchObject({ 1: alice.id });
  expect(seen.at(-1)?.context).toBe(InteractionContextType.Guild);
  // The bot still cannot access the channel itself.
  await expect(
    bot.rest.post(`/channels/${handle.record.channelId}/messages`, { body: { content: "x" } }),
  ).rejects.toMatchObject({ code: 50001 });
});

test("a command between two people is answered too, with at most five follow-ups", async () => {
  const [alice, bob] = [local.member("alice"), local.member("bob")];
  const channel = [...local.state.channels.values()].find(
    ({ participants }) => participants.includes(alice.id) && participants.includes(bob.id),
  )!.id;
  const handle = await alice.slash("hello", {}, { channel });
  expect(bob.messages(channel).at(-1)?.content).toBe("hello");
  expect(seen.at(-1)?.context).toBe(InteractionContextType.PrivateChannel);
  const followUp = (content: string) =>
    bot.rest.post(Routes.webhook(local.applicationId, handle.record.token), {
      body: { content },
      auth: false,
    });
  for (let n = 1; n <= 5; n++) await followUp(`${n}`);
  await expect(followUp("6")).rejects.toMatchObject({ code: 40094 });
  expect(handle.followUps.map((it) => it.content)).toEqual(["1", "2", "3", "4", "5"]);
});

test("without USE_EXTERNAL_APPS only the user sees the answer", async () => {
  const guild = [...local.state.guilds.values()].find((it) => it.name === "Elsewhere")!;
  const everyone = guild.roles.get(guild.id)!;
  const before = everyone.permissions;
  everyone.permissions &= ~(1n << 50n);
  const handle = await local.member("alice").slash("hello", {}, { channel: "lounge" });
  everyone.permissions = before;
  expect(handle.ephemeral).toBe(true);
});

test("a modal with labels: text, selects and files", async () => {
  const alice = local.member("alice");
  const opened = await alice.slash("form");
  const file = { name: "a.txt", data: "x" };
  const base = { about: "me", style: ["oil", "ink"], who: ["Painters"] };
  await expect(alice.submitModal(opened, base)).rejects.toThrow(/"Files" is required/);
  await expect(alice.submitModal(opened, { ...base, files: [file, file, file] })).rejects.toThrow(
    /at most 2/,
  );
  const done = await alice.submitModal(opened, { ...base, files: [file] });
  expect(done.message?.content).toContain("me | oil+ink | Painters");
  expect(done.message?.content).toContain("a.txt");
});

test("a modal with a radio group, a group of checkboxes and a checkbox", async () => {
  const alice = local.member("alice");
  const opened = await alice.slash("choices");
  await expect(alice.submitModal(opened, {})).rejects.toThrow(/"Size" is required/);
  await expect(alice.submitModal(opened, { size: "huge" })).rejects.toThrow(/does not offer "huge"/);
  const first = await alice.submitModal(opened, { size: "large", extras: ["frame", "gloss"], public: false });
  expect(first.message?.content).toBe("large | frame+gloss | false");
  const second = await alice.submitModal(await alice.slash("choices"), { Size: "SMALL" });
  expect(second.message?.content).toBe("small |  | true");
});
