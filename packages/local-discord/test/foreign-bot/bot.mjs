// A bot written the way discord.js's guide teaches. It knows nothing of the local Discord: the API's address
// is an option of discord.js's REST client and, like the token, comes from the environment.
import {
  ActionRowBuilder,
  ApplicationCommandType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  ChannelSelectMenuBuilder,
  Client,
  ContainerBuilder,
  ContextMenuCommandBuilder,
  EmbedBuilder,
  Events,
  FileBuilder,
  GatewayIntentBits,
  LabelBuilder,
  MediaGalleryBuilder,
  MessageFlags,
  ModalBuilder,
  RadioGroupBuilder,
  REST,
  RoleSelectMenuBuilder,
  Routes,
  SectionBuilder,
  SeparatorBuilder,
  SlashCommandBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  ThumbnailBuilder,
} from "discord.js";
import { picture } from "./picture.mjs";

const { DISCORD_TOKEN: token, DISCORD_API: api } = process.env;
const options = { api, version: "10" };

const slash = (name, description) => new SlashCommandBuilder().setName(name).setDescription(description);
const commands = [
  slash("ping", "Replies with Pong!"),
  slash("count", "Counts to three, editing its reply"),
  slash("echo", "Replies with your input")
    .addStringOption((option) =>
      option.setName("input").setDescription("The input to echo back").setRequired(true).setMaxLength(200),
    )
    .addBooleanOption((option) => option.setName("private").setDescription("Whether only you see it"))
    .addChannelOption((option) => option.setName("channel").setDescription("The channel to echo into")),
  slash("guide", "Search the guide")
    .setNameLocalizations({ de: "leitfaden" })
    .addStringOption((option) =>
      option.setName("query").setDescription("Phrase to search for").setRequired(true).setAutocomplete(true),
    ),
  slash("ban", "Asks before it bans")
    .addUserOption((option) => option.setName("target").setDescription("The member to ban").setRequired(true))
    .setDefaultMemberPermissions(0),
  slash("feedback", "Opens a form"),
  slash("roles", "Choose among roles, channels and fruit"),
  slash("gallery", "Pictures in components of the second version"),
  slash("profile", "An embed with everything"),
  new ContextMenuCommandBuilder().setName("Translate").setType(ApplicationCommandType.Message),
  new ContextMenuCommandBuilder().setName("Avatar").setType(ApplicationCommandType.User),
].map((command) => command.toJSON());

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
  rest: options,
});

const row = (...components) => new ActionRowBuilder().addComponents(...components);
const handlers = {
  async ping(interaction) {
    await interaction.reply("Pong!");
  },
  async count(interaction) {
    await interaction.deferReply();
    for (const number of ["One", "Two", "Three"]) await interaction.editReply(`${number}…`);
    await interaction.followUp({ content: "That was all.", flags: MessageFlags.Ephemeral });
    await interaction.deleteReply();
  },
  async echo(interaction) {
    const input = interaction.options.getString("input", true);
    const channel = interaction.options.getChannel("channel");
    if (channel !== null) {
      await channel.send(input);
      await interaction.reply({ content: `Sent to ${channel}`, flags: MessageFlags.Ephemeral });
      return;
    }
    const flags = interaction.options.getBoolean("private") ? MessageFlags.Ephemeral : undefined;
    const response = await interaction.reply({ content: input, flags, withResponse: true });
    console.log(`echoed ${response.resource.message.id}`);
  },
  async guide(interaction) {
    await interaction.reply(`You searched for **${interaction.options.getString("query", true)}**`);
  },
  async ban(interaction) {
    const target = interaction.options.getUser("target", true);
    const response = await interaction.reply({
      content: `Ban ${target}?`,
      components: [
        row(
          new ButtonBuilder().setCustomId("confirm").setLabel("Confirm ban").setStyle(ButtonStyle.Danger),
          new ButtonBuilder().setCustomId("cancel").setLabel("Cancel").setStyle(ButtonStyle.Secondary),
        ),
      ],
      withResponse: true,
    });
    const mine = (pressed) => pressed.user.id === interaction.user.id;
    const pressed = await response.resource.message.awaitMessageComponent({ filter: mine, time: 60_000 });
    const verdict = pressed.customId === "confirm" ? `${target.username} would be banned.` : "Cancelled.";
    await pressed.update({ content: verdict, components: [] });
  },
  async feedback(interaction) {
    await interaction.showModal(
      new ModalBuilder()
        .setCustomId("feedback-form")
        .setTitle("Feedback")
        .addLabelComponents(
          new LabelBuilder()
            .setLabel("What did you like?")
            .setDescription("A sentence is enough")
            .setTextInputComponent(
              new TextInputBuilder().setCustomId("liked").setStyle(TextInputStyle.Paragraph).setMinLength(3),
            ),
          new LabelBuilder()
            .setLabel("Would you come again?")
            .setRadioGroupComponent(
              new RadioGroupBuilder()
                .setCustomId("again")
                .addOptions(
                  { label: "Yes", value: "yes", description: "Gladly" },
                  { label: "No", value: "no" },
                ),
            ),
          new LabelBuilder().setLabel("Favourite fruit").setStringSelectMenuComponent(fruit("modal-fruit")),
        ),
    );
  },
  async roles(interaction) {
    await interaction.reply({
      content: "Choose:",
      components: [
        row(fruit("fruit")),
        row(new RoleSelectMenuBuilder().setCustomId("role").setPlaceholder("A role")),
        row(new ChannelSelectMenuBuilder().setCustomId("room").setPlaceholder("A channel").setMaxValues(2)),
      ],
    });
  },
  async gallery(interaction) {
    await interaction.deferReply();
    await interaction.editReply({
      flags: MessageFlags.IsComponentsV2,
      files: [
        ...["dawn", "dusk", "night"].map(
          (name, n) => new AttachmentBuilder(picture(n), { name: `${name}.png` }),
        ),
        new AttachmentBuilder(Buffer.from("dawn\ndusk\nnight\n"), { name: "prompts.txt" }),
      ],
      components: [
        new ContainerBuilder()
          .setAccentColor(0xc46b3c)
          .addSectionComponents(
            new SectionBuilder()
              .addTextDisplayComponents(
                new TextDisplayBuilder().setContent("## Three skies"),
                new TextDisplayBuilder().setContent("One seed, three times of day.\n-# 512 x 512, 20 steps"),
              )
              .setThumbnailAccessory(
                new ThumbnailBuilder({ media: { url: "attachment://dawn.png" }, description: "dawn, small" }),
              ),
          )
          .addSeparatorComponents(new SeparatorBuilder())
          .addMediaGalleryComponents(
            new MediaGalleryBuilder().addItems(
              ...["dawn", "dusk", "night"].map((name) => ({
                media: { url: `attachment://${name}.png` },
                description: name,
              })),
            ),
          )
          .addFileComponents(new FileBuilder().setURL("attachment://prompts.txt"))
          .addActionRowComponents(
            row(
              new ButtonBuilder()
                .setCustomId("like")
                .setLabel("Like")
                .setEmoji("💚")
                .setStyle(ButtonStyle.Success),
              new ButtonBuilder().setLabel("Source").setURL("https://example.com").setStyle(ButtonStyle.Link),
            ),
          ),
      ],
    });
  },
  async profile(interaction) {
    await interaction.reply({
      embeds: [
        new EmbedBuilder()
          .setColor(0x3f8f7a)
          .setAuthor({ name: "Some name" })
          .setTitle("Some title")
          .setURL("https://discord.js.org/")
          .setDescription("Some **description** with `code` and ||a spoiler||\n> and a quote\n- one\n- two")
          .setThumbnail("attachment://thumb.png")
          .addFields(
            { name: "Seed", value: "42", inline: true },
            { name: "Steps", value: "20", inline: true },
            { name: "Wide", value: "```js\nconst answer = 42;\n```" },
          )
          .setImage("attachment://large.png")
          .setTimestamp(new Date("2026-01-02T03:04:05Z"))
          .setFooter({ text: "Some footer" }),
      ],
      files: [
        new AttachmentBuilder(picture(1), { name: "large.png" }),
        new AttachmentBuilder(picture(2), { name: "thumb.png" }),
      ],
    });
  },
  async Translate(interaction) {
    await interaction.reply({
      content: interaction.targetMessage.content.toUpperCase(),
      flags: MessageFlags.Ephemeral,
    });
  },
  async Avatar(interaction) {
    await interaction.reply(`${interaction.targetUser.displayName} has no avatar.`);
  },
};

function fruit(id) {
  return new StringSelectMenuBuilder()
    .setCustomId(id)
    .setPlaceholder("Some fruit")
    .setMinValues(1)
    .setMaxValues(2)
    .addOptions(
      { label: "Apple", value: "apple", description: "Crisp", emoji: { name: "🍎" } },
      { label: "Pear", value: "pear", description: "Soft", emoji: { name: "🍐" } },
      { label: "Plum", value: "plum" },
    );
}

async function component(interaction) {
  if (interaction.isButton() && interaction.customId === "like") {
    await interaction.reply({ content: "Thank you!", flags: MessageFlags.Ephemeral });
  } else if (interaction.isAnySelectMenu()) {
    await interaction.reply(`${interaction.user} chose ${interaction.values.join(" and ")}`);
  } else if (interaction.isModalSubmit()) {
    const { fields } = interaction;
    await interaction.reply(
      `Liked: ${fields.getTextInputValue("liked")}. Again: ${fields.getRadioGroup("again")}. Fruit: ${fields.getStringSelectValues("modal-fruit").join(", ")}.`,
    );
  }
}

client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isAutocomplete()) {
    const pages = ["Popular Topics: Threads", "Popular Topics: Embeds", "Sharding: Getting started", "Voice"];
    const typed = interaction.options.getFocused().toLowerCase();
    await interaction.respond(
      pages.filter((page) => page.toLowerCase().includes(typed)).map((page) => ({ name: page, value: page })),
    );
  } else if (interaction.isCommand()) await handlers[interaction.commandName](interaction);
  else await component(interaction);
});
client.on(Events.MessageCreate, async (message) => {
  if (!message.author.bot && message.content === "!hello") await message.reply("Hello there.");
});
client.once(Events.ClientReady, (ready) => console.log(`Ready! Logged in as ${ready.user.tag}`));
client.on(Events.Error, (error) => console.error(error));
process.on("SIGTERM", () => client.destroy().then(() => process.exit(0)));

const rest = new REST(options).setToken(token);
const me = await rest.get(Routes.currentApplication());
await rest.put(Routes.applicationCommands(me.id), { body: commands });
await client.login(token);
