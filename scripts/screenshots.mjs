// Takes the pictures in docs/images from the real program: npm run build && node scripts/screenshots.mjs
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { isDone, ROOT, save, shoot, startProgram, toEnd, WIDE } from "./page-pictures.mjs";

const NARROW = { width: 400, height: 800 };
const WAIT = { timeoutMs: 200_000 };
const GALLERY = { channel: "gallery" };
const BATCH = [
  "A cat in the rain",
  "A fantasy castle",
  "Portrait of a warrior",
  "A beautiful sunset over the mountains",
  "The starry night by Van Gogh",
];

// Large pictures take long enough that the page can be shot while they are drawn.
const { app, local, open, stop } = await startProgram({ MAX_SIDE: "256" });

/**
 * Shoots a community: waiting, running, a blind vote before and after, a batch, a refusal, settings, the
 * scoreboard.
 */
async function community() {
  const [alice, bob, admin] = ["alice", "bob", "admin"].map((name) => local.member(name));
  /** Shoots the end of the channel as one person sees it. */
  const shootEnd = async (name, { user = "alice", height = 800, colorScheme = "light", first } = {}) => {
    const page = await open({ viewport: { ...WIDE, height }, colorScheme, user });
    await toEnd(page);
    await first?.(page);
    await shoot(page, name);
  };

  await admin.slash("admin pause", {}, { channel: "dm" });
  await admin.slash("settings set", { name: "userLimit", value: "2", scope: "server" }, { channel: "staff" });
  const waiting = [];
  for (const prompt of ["A castle by the sea", "A red dragon", "A quiet harbour"])
    waiting.push(await alice.slash("optimize", { prompt }));
  waiting.push(await bob.slash("compare", { prompt: "Portrait of a warrior", seed: 2, steps: 10 }));
  await waiting[3].waitFor((m) => JSON.stringify(m).includes("Paused"));
  await shootEnd("waiting");
  await admin.slash("settings reset", { name: "userLimit", scope: "server" }, { channel: "staff" });

  await admin.slash("settings set", { name: "preview", value: "on" }, { channel: "general" });
  await admin.slash("admin resume", {}, { channel: "dm" });
  await Promise.all(waiting.map((handle) => handle.waitFor(isDone, WAIT)));
  const running = await alice.slash("compare", {
    prompt: "A fantasy castle",
    seed: 5,
    steps: 100,
    size: "256x256",
  });
  await running.waitFor(
    (m) => m.embeds[0]?.image?.url.includes("preview") && /step [4-9]\d of/.test(m.embeds[0].description),
    WAIT,
  );
  await shootEnd("running");
  await alice.press(running.message, "Cancel");
  await running.waitFor(isDone, WAIT);

  const blind = await alice.slash("compare", { prompt: "A red rose", seed: 3, steps: 20, blind: true });
  await blind.waitFor((m) => m.attachments.length >= 2 && isDone(m), WAIT);
  await shootEnd("vote-before", { user: "bob", height: 900 });
  await bob.press(blind.message, "A");
  await admin.press(blind.message, "B");
  await alice.press(blind.message, "Reveal to all");
  await blind.waitFor((m) => JSON.stringify(m).includes("**Votes**"), WAIT);
  await shootEnd("vote-after", { user: "bob", height: 1000 });

  for (let i = 0; i < 12; i++) {
    const pair = await alice.slash(
      "compare",
      { prompt: `A cat, take ${i}`, seed: i, steps: 1, blind: true },
      GALLERY,
    );
    await pair.waitFor((m) => m.attachments.length >= 2 && isDone(m), WAIT);
    const { left } = votesOf(pair.message);
    const winner = left === "optimized" ? "A" : "B";
    await bob.press(pair.message, i % 4 === 0 ? (winner === "A" ? "B" : "A") : winner);
    await alice.press(pair.message, i % 3 === 0 ? "Tie" : winner);
  }
  const stats = await alice.slash("stats show", { by: "user" });
  await stats.waitFor((m) => m.embeds.length > 0, WAIT);
  await shootEnd("stats");

  const file = { name: "prompts.txt", data: BATCH.join("\n") };
  const batch = await alice.slash("batch", { file, steps: 20, seed: 1 });
  await batch.waitFor((m) => m.components.length > 0, WAIT);
  await shootEnd("batch-preview");
  await alice.press(batch.message, "Start");
  await batch.waitFor((m) => isDone(m), WAIT);
  await shootEnd("batch-report", { height: 1300 });

  await alice.slash("compare", { prompt: "A cat", size: "500x500" });
  await alice
    .slash("batch", { file: { name: "prompts.csv", data: "painter,year\nVan Gogh,1889\n" } })
    .then((it) => it.done(WAIT));
  await shootEnd("refused");
  await admin.slash("settings set", { name: "blind", value: "on" });
  await admin.slash("settings show");
  await shootEnd("settings", { user: "admin", height: 1000 });
  await admin.slash("settings reset", { name: "blind" });
}

/** The README's picture: the card that the command line makes. */
async function card() {
  const folder = mkdtempSync(join(tmpdir(), "promptist-card-"));
  try {
    const args = ["compare", "A fox in the snow", "--seed", "8", "--device", "cpu", "--out", folder];
    execFileSync(process.execPath, [join(ROOT, "bin", "promptist.js"), ...args], { cwd: ROOT });
    await save(join(folder, "comparison.png"), "compare", 200);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Which side each vote showed; read from the database, because no message tells. */
function votesOf(message) {
  const id = message.components
    .flatMap((row) => row.components)
    .find((it) => it.custom_id?.startsWith("vote:"));
  const db = new Database(app.config.databaseFile, { readonly: true });
  try {
    const [, jobId] = id.custom_id.split(":");
    return { left: db.prepare("select left_side as side from ballots where job_id = ?").get(jobId).side };
  } finally {
    db.close();
  }
}

try {
  const alice = local.member("alice");
  const progress = await open({ colorScheme: "dark", operator: true });
  const options = { prompt: "A cat in the rain", seed: 7, steps: 100, size: "256x256" };
  const slow = await alice.slash("compare", options);
  await slow.waitFor((message) => /as written, step [1-9]\d/.test(message.embeds[0]?.description), WAIT);
  await progress.getByRole("progressbar").waitFor();
  await shoot(progress, "progress-dark");
  await alice.press(slow.message, "Cancel");
  await slow.waitFor(isDone, WAIT);
  await alice.press(slow.message, "Delete");

  const compare = await alice.slash("compare", { prompt: "A cat in the rain", seed: 7, steps: 60 });
  await compare.waitFor(isDone, WAIT);
  await alice
    .slash("optimize", { prompt: "A fantasy castle" })
    .then((handle) => handle.waitFor(isDone, WAIT));
  const pair = await open({ viewport: { ...WIDE, height: 1100 } });
  await pair.locator(".message").first().scrollIntoViewIfNeeded();
  await pair.locator(".messages").evaluate((it) => it.scrollTo(0, it.scrollHeight));
  await shoot(pair, "pair-light");

  const zoom = await open();
  await zoom
    .getByRole("button", { name: /^Enlarge/ })
    .first()
    .click();
  await shoot(zoom, "zoom");

  const typing = await open();
  await typing
    .getByRole("combobox", { name: /^Message/ })
    .pressSequentially("/compare prompt:A cat in the rain ");
  await typing.getByRole("option").first().waitFor();
  await shoot(typing, "typing-light");

  await community();
  await card();

  const narrow = await open({ viewport: NARROW, colorScheme: "dark" });
  await shoot(narrow, "narrow-dark");
} finally {
  await stop();
}
