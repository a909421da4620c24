/**
 * What taste learns, on simulated communities with hidden likes, and how fast: docs/taste.md.
 *
 *     node bench/run.mjs taste [runs] [--plot FILE.svg]
 *
 * With --plot it draws the learning curves, docs/images/taste-curves.svg.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { atOnce } from "../dist/core/statistics/cholesky.js";
import { seededRandom } from "../dist/core/statistics/random.js";
import { sigmoid } from "../dist/core/statistics/shares.js";
import { choose } from "../dist/taste/choice.js";
import { Features, LENGTH } from "../dist/taste/features.js";
import { fitTaste } from "../dist/taste/fit.js";
import { Ledger } from "../dist/taste/ledger.js";
import { fit, Posterior } from "../dist/taste/posterior.js";
import { ServerTaste } from "../dist/taste/server-taste.js";
import { args, SMOKE } from "./support/arguments.mjs";
import { curvesSvg } from "./support/curves.mjs";

const { values, positionals } = parseArgs({
  args,
  options: { plot: { type: "string" } },
  allowPositionals: true,
});
const RUNS = SMOKE ? 1 : Number(positionals[0] ?? 10);
/** Votes after which it is asked; those of the table, and those of the plot between them. */
const CHECKS = SMOKE ? [20, 40] : [50, 200, 1_000];
const POINTS = SMOKE ? CHECKS : [20, 50, 100, 200, 350, 500, 600, 800, 1_000];
const FRESH = SMOKE ? 20 : 300;
/** Somebody asks what is liked after each so many votes. */
const ASKED = 50;
/** Votes that tell what all voters of a community like together. */
const ALL_VOTES = SMOKE ? 500 : 60_000;
const PHRASES = 200;
const OPTIONS = 6;
const VOTERS = 40;
/** Log-odds of a rewrite against its prompt, besides its phrases. */
const REWRITTEN = 0.2;
const TIES = 0.1;

const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const points = (share) => `${(100 * share).toFixed(1)}`;

/** Phrases are as frequent as words are (G. Zipf): the n-th has a share of 1 / (n + 5). */
const cumulated = [];
for (let n = 0; n < PHRASES; n++) cumulated.push((cumulated.at(-1) ?? 0) + 1 / (n + 5));
function phraseOf(random) {
  const at = random() * cumulated.at(-1);
  return cumulated.findIndex((sum) => sum > at);
}

/** The distinct beams of one prompt: each shares its beginning with the first, as those of a beam search do. */
function beamsOf(random) {
  const first = new Set();
  const size = () => 4 + Math.floor(random() * 7);
  const whole = size();
  while (first.size < whole) first.add(phraseOf(random));
  const beams = [[...first]];
  while (beams.length < OPTIONS) {
    const kept = [...first].slice(0, 2 + Math.floor(random() * 5));
    const beam = new Set(kept);
    const length = size();
    while (beam.size < length) beam.add(phraseOf(random));
    beams.push([...beam]);
  }
  return beams.map((phrases, i) => ({ phrases, likelihood: i === 0 ? 0 : -0.05 * i * random() }));
}

/** The hidden likes of a voter at a vote; `judge`: what the aesthetic score thinks of each phrase. */
const drawn = (random, center, deviation) =>
  Array.from({ length: PHRASES }, () => center + deviation * normal(random));
const COMMUNITIES = {
  likes: (random) => {
    const judge = drawn(random, 0, 0.3);
    const likes = judge.map((value) => 0.1 + 0.5 * value + 0.26 * normal(random));
    return { judge, likes: () => likes };
  },
  dislikes: (random) => {
    const judge = drawn(random, 0, 0.3);
    const likes = judge.map((value) => -0.1 - 0.5 * value + 0.26 * normal(random));
    return { judge, likes: () => likes };
  },
  indifferent: (random) => {
    const none = drawn(random, 0, 0);
    return { judge: drawn(random, 0, 0.3), likes: () => none };
  },
  "two factions": (random) => {
    const both = drawn(random, 0, 0.2);
    const one = both.map((value) => value + 0.3 * normal(random));
    const other = both.map((value, i) => value - (one[i] - value));
    return { judge: drawn(random, 0, 0.3), likes: (voter) => (voter % 2 === 0 ? one : other) };
  },
  "changes after 500": (random) => {
    const before = drawn(random, 0, 0.3);
    const after = drawn(random, 0, 0.3);
    return { judge: drawn(random, 0, 0.3), likes: (_, vote) => (vote < 500 ? before : after) };
  },
  // Every tenth votes for the opposite of what the others like, always.
  "10 % attackers": (random) => {
    const likes = drawn(random, 0, 0.3);
    return { judge: drawn(random, 0, 0.3), likes: () => likes, attacks: (voter) => voter % 10 === 0 };
  },
};

const utility = (likes, phrases) => phrases.reduce((sum, phrase) => sum + likes[phrase], 0);

/** Whether a voter's vote is for the rewrite; `vote` counts from 0. */
function votes(community, phrases, voter, vote, random) {
  const truth = REWRITTEN + utility(community.likes(voter, vote), phrases);
  const p = community.attacks?.(voter) === true ? (truth > 0 ? 0 : 1) : sigmoid(truth);
  return random() < p ? 1 : 0;
}

const rewriteOf = (phrases) => ({
  prompt: "a cat",
  rewrite: ["a cat", ...phrases.map((phrase) => `words ${phrase}`)].join(", "),
  mode: "beam",
  rewriter: "promptist",
});

let tastes = 0;

/** Ways to choose a beam. `learn` gets 1 where the rewrite won, 0 where it lost. */
function byTaste(ledger = new Ledger(), features = new Features()) {
  const server = new ServerTaste(ledger);
  const name = ++tastes;
  const numbers = new Map();
  const differenceOf = (phrases) => {
    const difference = features.difference(rewriteOf(phrases));
    for (const [i, phrase] of phrases.entries()) numbers.set(phrase, difference.features[i]);
    return difference;
  };
  const options = (beams) =>
    beams.map(({ phrases, likelihood }) => ({ difference: differenceOf(phrases), likelihood }));
  const settle = () => {
    if (!server.needsFit) return;
    const { task, end } = server.begin();
    end(atOnce(fitTaste(task)));
  };
  const note = ({ phrases }, won, voter, vote) =>
    server.learn({ jobId: `${name} ${vote}`, userId: `${voter}`, won }, () => differenceOf(phrases));
  return {
    server,
    numbers,
    pick: (beams, random) => choose(options(beams), server.posterior, random).index,
    best: (beams) => {
      settle();
      const scores = options(beams).map(
        ({ difference, likelihood }) => likelihood + server.posterior.logOdds(difference),
      );
      return scores.indexOf(Math.max(...scores));
    },
    note,
    learn: (beam, won, voter, vote) => {
      note(beam, won, voter, vote);
      if (vote % ASKED === ASKED - 1) settle();
    },
  };
}

function byCounts() {
  const wins = new Float64Array(PHRASES).fill(1);
  const votes = new Float64Array(PHRASES).fill(2);
  const best = (beams) => {
    const scores = beams.map(({ phrases }) => mean(phrases.map((phrase) => wins[phrase] / votes[phrase])));
    return scores.indexOf(Math.max(...scores));
  };
  return {
    best,
    pick: (beams, random) => {
      const at = random();
      return at < 0.05 ? 0 : at < 0.1 ? Math.floor(random() * beams.length) : best(beams);
    },
    learn: ({ phrases }, won) => {
      for (const phrase of phrases) {
        wins[phrase] += won;
        votes[phrase]++;
      }
    },
  };
}

const byJudge = ({ judge }) => {
  const best = (beams) => {
    const scores = beams.map(({ phrases }) => utility(judge, phrases));
    return scores.indexOf(Math.max(...scores));
  };
  return { best, pick: best, learn: () => {} };
};
const off = () => ({ best: () => 0, pick: () => 0, learn: () => {} });

/** One community that votes on what one way chooses. */
function live(way, community, seed, last, onCheck) {
  const random = seededRandom(seed);
  for (let vote = 0; vote < last; vote++) {
    const beams = beamsOf(random);
    const beam = beams[way.pick(beams, random)];
    const voter = Math.floor(random() * VOTERS);
    // Ties teach nothing.
    if (random() >= TIES) way.learn(beam, votes(community, beam.phrases, voter, vote, random), voter, vote);
    if (POINTS.includes(vote + 1)) onCheck(vote + 1);
  }
}

/** Against the first beam, on prompts that were not voted on: the share of wins, and what the best would add. */
function judged(way, community, vote, seed) {
  const random = seededRandom(seed);
  const wins = [];
  const regrets = [];
  for (let prompt = 0; prompt < FRESH; prompt++) {
    const beams = beamsOf(random);
    const chosen = way.best(beams);
    for (const voter of [1, 2]) {
      const utilities = beams.map(({ phrases }) => utility(community.likes(voter, vote - 1), phrases));
      wins.push(sigmoid(utilities[chosen] - utilities[0]));
    }
    const shared = beams.map(({ phrases }) =>
      mean([1, 2].map((voter) => utility(community.likes(voter, vote - 1), phrases))),
    );
    regrets.push(Math.max(...shared) - shared[chosen]);
  }
  return { wins: mean(wins), regret: mean(regrets) };
}

/**
 * What each phrase brings in the votes of everybody, attackers too: the effects that very many votes would end at. The
 * intervals are of these.
 */
function allLike(community, seed) {
  const random = seededRandom(seed);
  const features = new Features();
  const numbers = new Map();
  const ledger = new Ledger();
  const won = Float64Array.from({ length: ALL_VOTES }, (_, vote) => {
    const beams = beamsOf(random);
    const { phrases } = beams[Math.floor(random() * beams.length)];
    const difference = features.difference(rewriteOf(phrases));
    for (const [i, phrase] of phrases.entries()) numbers.set(phrase, difference.features[i]);
    ledger.addPair(`${vote}`, 0, difference);
    return votes(community, phrases, Math.floor(random() * VOTERS), 0, random);
  });
  const rows = { ...ledger.soFar, weights: won.map(() => 1), won };
  // A phrase has its whole effect to itself, and hardly anything is known before.
  const prior = { mean: () => 0, variance: (feature) => (feature === LENGTH ? 1e-6 : 4) };
  const posterior = new Posterior(prior, atOnce(fit(prior, rows)));
  return (phrase) => posterior.meanOf(numbers.get(phrase));
}

/** How many of the phrases' effects lie in their 95 % intervals. */
function coverage({ server, numbers }, effectOf) {
  const truth = new Map([...numbers].map(([phrase, number]) => [number, effectOf(phrase)]));
  return [...server.effects()].map(({ feature, mean: center, deviation }) =>
    Math.abs(truth.get(feature) - center) < 1.96 * deviation ? 1 : 0,
  );
}

const WAYS = { taste: byTaste, counts: byCounts, aesthetic: byJudge, off };
const add = (map, key, ...values) => map.set(key, [...(map.get(key) ?? []), ...values]);
const panels = [];
for (const [name, make] of Object.entries(COMMUNITIES)) {
  const results = new Map();
  const [held, heldOfHonest] = [new Map(), new Map()];
  for (let run = 0; run < RUNS; run++) {
    const community = make(seededRandom(1_000 + run));
    const everybody = community.attacks === undefined ? null : allLike(community, 4_000 + run);
    for (const [label, create] of Object.entries(WAYS)) {
      const way = label === "taste" ? create() : create(community);
      live(way, community, 2_000 + run, CHECKS.at(-1), (vote) => {
        add(results, `${label} ${vote}`, judged(way, community, vote, 3_000 + run));
        if (label !== "taste" || !CHECKS.includes(vote)) return;
        const likes = [1, 2].map((voter) => community.likes(voter, vote - 1));
        const ofHonest = coverage(way, (phrase) => mean(likes.map((of) => of[phrase])));
        add(heldOfHonest, vote, ...ofHonest);
        add(held, vote, ...(everybody === null ? ofHonest : coverage(way, everybody)));
      });
    }
  }
  console.log(
    `${name}: win rate against the first beam in % (regret in log-odds) after ${CHECKS.join(", ")} votes`,
  );
  const winsAt = (label, vote) => mean(results.get(`${label} ${vote}`).map(({ wins }) => wins));
  for (const label of Object.keys(WAYS)) {
    const cells = CHECKS.map((vote) => {
      const regret = mean(results.get(`${label} ${vote}`).map((result) => result.regret));
      return `${points(winsAt(label, vote))} (${regret.toFixed(2)})`;
    });
    console.log(`  ${label.padEnd(9)} ${cells.join("  ")}`);
  }
  const told = (map) => CHECKS.map((vote) => points(mean(map.get(vote)))).join(", ");
  console.log(`  95 % intervals hold ${told(held)} %`);
  if (name.includes("attackers")) console.log(`  and what the honest like in ${told(heldOfHonest)} %`);
  const curves = Object.keys(WAYS).map((label) => ({
    label,
    points: POINTS.map((vote) => [vote, 100 * winsAt(label, vote)]),
  }));
  panels.push({ title: name, curves });
}
if (values.plot !== undefined)
  writeFileSync(
    values.plot,
    curvesSvg(panels, {
      title: "Wins against the model's own first rewrite, in %",
      x: "votes",
      reference: 50,
    }),
  );

/** A new server, whose likes are those of three others but for a deviation of its own, with and without their votes. */
const OTHERS = { servers: 3, votes: SMOKE ? 20 : 400 };
const STARTS = SMOKE ? [0, 10] : [0, 20, 50, 200];
const started = new Map();
for (let run = 0; run < RUNS; run++) {
  const random = seededRandom(5_000 + run);
  const shared = drawn(random, 0, 0.25);
  const neighbour = () => {
    const likes = shared.map((value) => value + 0.17 * normal(random));
    return { likes: () => likes };
  };
  const features = new Features();
  const together = new Ledger();
  for (let n = 0; n < OTHERS.servers; n++) {
    // They live by themselves, and the new server knows their votes.
    const [alone, known] = [byTaste(new Ledger(), features), byTaste(together, features)];
    const learn = (...vote) => {
      alone.learn(...vote);
      known.note(...vote);
    };
    live({ ...alone, learn }, neighbour(), 6_000 + 10 * run + n, OTHERS.votes, () => {});
  }
  const community = neighbour();
  for (const [label, ledger] of Object.entries({ with: together, without: new Ledger() })) {
    const way = byTaste(ledger, features);
    for (const [i, vote] of STARTS.entries()) {
      const from = STARTS[i - 1] ?? 0;
      live(
        { ...way, learn: (beam, won, voter, n) => n >= from && way.learn(beam, won, voter, n) },
        community,
        7_000 + run,
        vote,
        () => {},
      );
      add(started, `${label} ${vote}`, judged(way, community, 1, 8_000 + run).wins);
    }
  }
}
console.log(
  `a new server beside ${OTHERS.servers} of ${OTHERS.votes} votes: win rate in % after ${STARTS.join(", ")} votes`,
);
for (const label of ["with", "without"])
  console.log(
    `  ${label.padEnd(7)} them ${STARTS.map((vote) => points(mean(started.get(`${label} ${vote}`)))).join("  ")}`,
  );

/** Speed with many votes and phrases. */
const [VOTES, VOCABULARY] = SMOKE ? [500, 200] : [100_000, 5_000];
const random = seededRandom(7);
const features = new Features();
const server = new ServerTaste(new Ledger());
const rewritten = () => {
  const phrases = Array.from({ length: 10 }, () => `words ${Math.floor(VOCABULARY * random() ** 3)}`);
  return { ...rewriteOf([]), rewrite: `a cat, ${phrases.join(", ")}` };
};
const vote = (n) =>
  server.learn({ jobId: `${n}`, userId: `${n % 5_000}`, won: random() < 0.6 ? 1 : 0 }, () =>
    features.difference(rewritten()),
  );
for (let n = 0; n < VOTES; n++) vote(n);
/** Milliseconds by the clock or the process' processor time, whichever is less: another program may have the core. */
function timed(work) {
  const [at, { user, system }] = [performance.now(), process.cpuUsage()];
  work();
  const spent = process.cpuUsage();
  return Math.min(performance.now() - at, (spent.user + spent.system - user - system) / 1000);
}
const { task, end } = server.begin();
const fitMs = timed(() => end(atOnce(fitTaste(task))));
const times = (work, count = SMOKE ? 20 : 1_000) =>
  Array.from({ length: count }, (_, n) => timed(() => work(n))).sort((a, b) => a - b);
const learned = times((n) => vote(VOTES + n));
const chosen = times(() =>
  choose(
    Array.from({ length: 8 }, () => ({ difference: features.difference(rewritten()), likelihood: 0 })),
    server.posterior,
    random,
  ),
);
const told = (sorted) =>
  `median ${sorted[sorted.length >> 1].toFixed(2)} ms, 99 % ${sorted[Math.floor(sorted.length * 0.99)].toFixed(2)} ms`;
console.log(`fit of ${VOTES} votes: ${(fitMs / 1000).toFixed(2)} s`);
console.log(`a choice of 8: ${told(chosen)}`);
console.log(`a vote's update with ${VOTES} votes and ${VOCABULARY} phrases: ${told(learned)}`);
