import {
  ActionRowBuilder,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  type ChatInputCommandInteraction,
  Client,
  type ClientOptions,
  EmbedBuilder,
  Events,
  GatewayIntentBits,
  type Interaction,
  MessageFlags,
  ModalBuilder,
  SlashCommandBuilder,
  StringSelectMenuBuilder,
  TextInputBuilder,
  TextInputStyle,
} from "discord.js";
import type { LocalDiscord } from "../../src/testing/index.js";
import { png } from "./png.js";

/** Commands of a bot written like discord.js's guide; they use everything that the local Discord supports. */
export const COMMANDS = [
  new SlashCommandBuilder()
    .setName("echo")
    .setDescription("Repeats what you say")
    .addStringOption((option) =>
      option.setName("text").setDescription("What to say").setRequired(true).setMaxLength(100),
    )
    .addIntegerOption((option) =>
      option.setName("times").setDescription("How often").setMinValue(1).setMaxValue(5),
    )
    .addBooleanOption((option) => option.setName("quiet").setDescription("Only for you")),
  new SlashCommandBuilder()
    .setName("paint")
    .setDescription("Draws two pictures, slowly")
    .addStringOption((option) => option.setName("prompt").setDescription("What to draw").setRequired(true))
    .addStringOption((option) =>
      option.setName("style").setDescription("In which manner").setAutocomplete(true),
    ),
  new SlashCommandBuilder()
    .setName("batch")
    .setDescription("Takes a list of prompts")
    .addAttachmentOption((option) =>
      option.setName("file").setDescription("One prompt a line").setRequired(true),
    ),
  new SlashCommandBuilder().setName("panel").setDescription("Shows buttons and a select"),
  new SlashCommandBuilder()
    .setName("settings")
    .setDescription("Changes settings")
    .setDefaultMemberPermissions("32")
    .addSubcommand((sub) =>
      sub
        .setName("steps")
        .setDescription("How many steps")
        .addIntegerOption((option) => option.setName("count").setDescription("Steps").setRequired(true)),
    ),
].map((command) => command.toJSON());

const STYLES = ["oil", "watercolour", "pencil", "photo"];

export function clientOptions(local: LocalDiscord, extra: Partial<ClientOptions> = {}): ClientOptions {
  return {
    intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
    rest: { api: local.apiUrl, cdn: local.cdnUrl },
    ...extra,
  };
}

/** Connects a plain client; errors are collected in `errors` instead of ending the process. */
export async function connect(
  local: LocalDiscord,
  extra: Partial<ClientOptions> = {},
): Promise<Client<true>> {
  const client = new Client(clientOptions(local, extra));
  client.on(Events.Error, (error) => errors.push(error));
  const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(local.token);
  return ready;
}
export const errors: Error[] = [];

/** Connects the sample bot and registers its commands. */
export async function startSampleBot(local: LocalDiscord): Promise<Client<true>> {
  const client = await connect(local);
  await client.application.commands.set(COMMANDS);
  client.on(Events.InteractionCreate, (interaction) => answer(interaction));
  return client;
}

async function answer(interaction: Interaction): Promise<void> {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    await interaction.respond(
      STYLES.filter((it) => it.startsWith(typed)).map((name) => ({ name, value: name })),
    );
  } else if (interaction.isChatInputCommand()) {
    await command(interaction);
  } else if (interaction.isButton()) {
    if (interaction.customId === "edit") {
      await interaction.showModal(
        new ModalBuilder()
          .setCustomId("edit-prompt")
          .setTitle("Change the prompt")
          .addComponents(
            new ActionRowBuilder<TextInputBuilder>().addComponents(
              new TextInputBuilder()
                .setCustomId("prompt")
                .setLabel("Prompt")
                .setStyle(TextInputStyle.Paragraph)
                .setMaxLength(200),
            ),
          ),
      );
    } else {
      await interaction.update({ content: `${interaction.user} voted for **${interaction.customId}**` });
    }
  } else if (interaction.isStringSelectMenu()) {
    await interaction.reply({
      content: `Chosen: ${interaction.values.join(", ")}`,
      flags: MessageFlags.Ephemeral,
    });
  } else if (interaction.isModalSubmit()) {
    await interaction.reply(`New prompt: ${interaction.fields.getTextInputValue("prompt")}`);
  }
}

async function command(interaction: ChatInputCommandInteraction): Promise<void> {
  switch (interaction.commandName) {
    case "echo": {
      const text = interaction.options.getString("text", true);
      const content = Array<string>(interaction.options.getInteger("times") ?? 1)
        .fill(text)
        .join("\n");
      const quiet = interaction.options.getBoolean("quiet") ?? false;
      await interaction.reply({ content, ...(quiet ? { flags: MessageFlags.Ephemeral } : {}) });
      return;
    }
    case "paint": {
      await interaction.deferReply();
      const prompt = interaction.options.getString("prompt", true);
      await interaction.editReply(`Painting **${prompt}**…`);
      await interaction.editReply({
        content: `> ${prompt}`,
        embeds: [
          new EmbedBuilder()
            .setTitle("Side by side")
            .setColor(0x4fa38a)
            .addFields(
              { name: "Seed", value: "1", inline: true },
              { name: "Steps", value: "50", inline: true },
            )
            .setImage("attachment://comparison.png"),
        ],
        files: [
          new AttachmentBuilder(png(320, 160, [90, 140, 190]), { name: "comparison.png" }),
          new AttachmentBuilder(png(64, 48, [200, 120, 60]), { name: "baseline.png", description: "before" }),
          new AttachmentBuilder(png(64, 48, [60, 160, 110]), { name: "optimized.png", description: "after" }),
        ],
        components: [votes()],
      });
      return;
    }
    case "batch": {
      const file = interaction.options.getAttachment("file", true);
      await interaction.deferReply();
      const lines = (await (await fetch(file.url)).text()).trim().split("\n");
      await interaction.editReply(`${file.name}: ${lines.length} prompts`);
      await interaction.followUp(`First: ${lines[0]}`);
      return;
    }
    case "panel":
      await interaction.reply({
        content: "Choose",
        components: [
          votes(),
          new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
            new StringSelectMenuBuilder()
              .setCustomId("style")
              .setPlaceholder("A style")
              .setMinValues(1)
              .setMaxValues(2)
              .addOptions(STYLES.map((it) => ({ label: it, value: it }))),
          ),
        ],
      });
      return;
    case "settings":
      await interaction.reply(`Steps: ${interaction.options.getInteger("count", true)}`);
  }
}

function votes(): ActionRowBuilder<ButtonBuilder> {
  return new ActionRowBuilder<ButtonBuilder>().addComponents(
    new ButtonBuilder().setCustomId("left").setLabel("Left").setStyle(ButtonStyle.Primary),
    new ButtonBuilder().setCustomId("right").setLabel("Right").setStyle(ButtonStyle.Secondary),
    new ButtonBuilder().setCustomId("edit").setLabel("Edit…").setStyle(ButtonStyle.Success),
    new ButtonBuilder()
      .setCustomId("closed")
      .setLabel("Closed")
      .setStyle(ButtonStyle.Danger)
      .setDisabled(true),
    new ButtonBuilder().setLabel("Guide").setStyle(ButtonStyle.Link).setURL("https://discord.js.org"),
  );
}
