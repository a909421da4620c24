// Takes docs/images/users-*.png, the pictures of docs/as-users-see-it.md, from the real program:
// npm run build && node scripts/screenshots-users.mjs
// Those of before come from a built checkout of 0384bb2: node scripts/screenshots-users.mjs FOLDER before
import { isDone, PHONE, ROOT, shoot, startProgram, toEnd, WIDE } from "./page-pictures.mjs";

const [root = ROOT, when = "after"] = process.argv.slice(2);
const WAIT = { timeoutMs: 200_000 };
const PROMPTS = ["A cat in the rain", "A red rose", "A rocket above the clouds", "A penguin on the ice"];

const { local, open, stop } = await startProgram({}, root);
const [alice, bob, admin] = ["alice", "bob", "admin"].map((name) => local.member(name));

/** Shoots the end of a channel as one person sees it. */
async function shootEnd(name, { viewport = WIDE, user = "alice", channel = "general" } = {}) {
  const page = await open({ viewport, user });
  if (channel !== "general") await page.getByText(channel, { exact: true }).first().click();
  await toEnd(page);
  await shoot(page, `users-${name}-${when}`);
}

try {
  const result = await alice.slash("compare", { prompt: "A cat in the rain", seed: 7 });
  await result.waitFor(isDone, WAIT);
  await shootEnd("result");
  await shootEnd("result-phone", { viewport: PHONE });

  await bob.slash("help");
  await shootEnd("help", { viewport: PHONE, user: "bob" });

  const inGallery = { channel: "gallery" };
  const blind = await alice.slash("compare", { prompt: "A red rose", seed: 3, blind: true }, inGallery);
  await blind.waitFor((message) => message.attachments.length >= 2 && isDone(message), WAIT);
  // "Left" before, "A" now.
  await bob.press(blind.message, blind.message.components[0].components[0].label);
  await shootEnd("vote", { viewport: { ...WIDE, height: 900 }, user: "bob", ...inGallery });

  const batch = await alice.slash("batch", {
    file: { name: "prompts.txt", data: PROMPTS.join("\n") },
    seed: 1,
  });
  await batch.waitFor((message) => message.components.length > 0, WAIT);
  await alice.press(batch.message, "Start");
  await batch.waitFor(isDone, WAIT);
  await shootEnd("batch", { viewport: { ...WIDE, height: 1300 } });

  const long = await alice.slash("optimize", { prompt: "A cat, ".repeat(130).trim() });
  await long.waitFor(
    (message) => message.content !== "" || /NaN|too long|can't read/.test(JSON.stringify(message)),
    WAIT,
  );
  const refused = { file: { name: "prompts.csv", data: "painter,year\nVan Gogh,1889\n" } };
  await (await alice.slash("batch", refused)).done(WAIT);
  await shootEnd("refused", { viewport: PHONE });

  await admin.slash("admin pause", {}, { channel: "dm" });
  await alice.slash("optimize", { prompt: "A red dragon" });
  const waiting = await bob.slash("compare", { prompt: "A castle by the sea" });
  await waiting.waitFor((message) => /queue|Paused/.test(JSON.stringify(message.embeds)), WAIT);
  await shootEnd("paused", { viewport: PHONE, user: "bob" });
} finally {
  await stop();
}
