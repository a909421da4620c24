import { isPhrase, LENGTH } from "./features.js";
import type { Votes } from "./ledger.js";
import { type Found, fit, Posterior, type Prior, type Rows } from "./posterior.js";

/** A person's votes in one server count like this many at most. */
export const VOTER_MAX = 100;
/** Before any vote: the standard deviation of a phrase's log-odds, as if seen of so many phrases. */
export const PHRASE_DEVIATION = 0.3;
const PHRASES_ASSUMED = 20;
/** The same of what all phrases have in common, and of the ways of rewriting: the rewriters and their modes. */
const LENGTH_DEVIATION = 0.15;
const WAY_DEVIATION = 0.35;
/** Fits until the phrases' deviation has settled. */
const ROUNDS = 3;
/** A vote counts half once so many came after it, as a share of the server's votes: tastes change (docs/taste.md). */
const HALF_LIFE = 0.4;
/** Votes between two yields. */
const VOTES_AT_ONCE = 10_000;

/** What the other servers' votes say of each feature by itself, [D] each. */
export interface Others {
  readonly features: Int32Array;
  readonly means: Float64Array;
  readonly variances: Float64Array;
  /** Of a phrase that none of them voted on. */
  readonly phraseVariance: number;
}

/** What to fit. Threads can pass it to each other. */
export interface FitTask {
  readonly votes: Votes;
  /** The votes of each other server, or what is known of them. */
  readonly others: readonly Votes[] | Others;
}

/** What one server likes, and by how much its phrases differ from what is known of the others. */
export interface Fitted {
  readonly found: Found;
  readonly phraseVariance: number;
  /** Null where there are no others. */
  readonly others: Others | null;
}

/**
 * Finds what a server likes from all of its votes. The same votes make the same, to the last bit. Yields between pieces
 * of work of some milliseconds.
 */
export function* fitTaste({ votes, others: given }: FitTask): Generator<void, Fitted, void> {
  const others = "features" in given ? given : yield* othersOf(given);
  const rows = yield* rowsOf(votes);
  // By how much phrases differ does not age, so that is learned from all votes alike.
  const { posterior: ageless, phraseVariance } = yield* scaled(rows, others);
  const aged = { ...rows, ...(yield* counted(votes, yield* lastingOf(votes))) };
  const found = yield* fit(priorOf(others, phraseVariance), aged, (feature) => ageless.meanOf(feature));
  return { found, phraseVariance, others };
}

/** A feature's normal distribution is that of the other servers, widened by how much servers differ. */
export function priorOf(others: Others | null, phraseVariance: number): Prior {
  const places = new Map(
    others === null ? [] : [...others.features].map((feature, place) => [feature, place]),
  );
  const known = (feature: number): number => {
    if (others === null) return 0;
    const place = places.get(feature);
    return place === undefined ? ownVariance(feature, others.phraseVariance) : others.variances[place]!;
  };
  return {
    mean: (feature) => others?.means[places.get(feature) ?? -1] ?? 0,
    variance: (feature) => known(feature) + ownVariance(feature, phraseVariance),
  };
}

const ownVariance = (feature: number, phraseVariance: number): number =>
  isPhrase(feature) ? phraseVariance : (feature === LENGTH ? LENGTH_DEVIATION : WAY_DEVIATION) ** 2;

/** Of a person's newest vote: the earlier ones are weighed down at the next fit. */
export const weightOf = (votes: number): number => Math.min(1, VOTER_MAX / votes);

function* othersOf(servers: readonly Votes[]): Generator<void, Others | null, void> {
  if (servers.length === 0) return null;
  const all: Rows[] = [];
  for (const votes of servers) all.push(yield* rowsOf(votes));
  const { found, posterior, phraseVariance } = yield* scaled(joined(all), null);
  const { features, means } = found;
  const variances = Float64Array.from(features, (feature) => posterior.varianceOf(feature));
  return { features, means, variances, phraseVariance };
}

/**
 * The posterior, with the phrases' variance that fits its rows: steps of expectation maximization (C. Bishop,
 * Pattern Recognition and Machine Learning, 9.3.4), from the assumed variance as that of some phrases.
 */
function* scaled(rows: Rows, others: Others | null) {
  let phraseVariance = PHRASE_DEVIATION ** 2;
  const known = others === null ? null : priorOf(others, 0);
  let from: Prior["mean"] | undefined;
  for (let round = 1; ; round++) {
    const prior = priorOf(others, phraseVariance);
    const found = yield* fit(prior, rows, from);
    const posterior = new Posterior(prior, found);
    if (round === ROUNDS) return { found, posterior, phraseVariance };
    from = (feature) => posterior.meanOf(feature);
    let sum = PHRASES_ASSUMED * PHRASE_DEVIATION ** 2;
    const phrases = found.features.filter(isPhrase);
    for (const feature of phrases) {
      const variance = known?.variance(feature) ?? 0;
      const share = phraseVariance / (phraseVariance + variance);
      const off = posterior.meanOf(feature) - (known?.mean(feature) ?? 0);
      sum += share ** 2 * (off ** 2 + posterior.varianceOf(feature)) + share * variance;
    }
    phraseVariance = sum / (PHRASES_ASSUMED + phrases.length);
  }
}

/** All votes by pair, each person's bounded. */
function* rowsOf(votes: Votes): Generator<void, Rows, void> {
  const { starts, features, values } = votes;
  return { starts, features, values, ...(yield* counted(votes)) };
}

/** The votes on each pair; `lasting` has what counts of each by its age, [V]. */
function* counted(
  { starts, pairs, voters, won }: Votes,
  lasting?: Float64Array,
): Generator<void, Pick<Rows, "weights" | "won">, void> {
  const weights = new Float64Array(starts.length - 1);
  const wins = new Float64Array(weights.length);
  const bounds = boundsOf(voters);
  for (let vote = 0; vote < pairs.length; vote++) {
    const pair = pairs[vote]!;
    const count = bounds[voters[vote]!]! * (lasting?.[vote] ?? 1);
    weights[pair]! += count;
    wins[pair]! += count * won[vote]!;
    if (vote % VOTES_AT_ONCE === 0) yield;
  }
  return { weights, won: wins };
}

/**
 * How much of each vote counts by its age, which is how many came after it, [V]. Each person's are bounded there too,
 * or a flood of votes would make all others old.
 */
function* lastingOf({ voters }: Votes): Generator<void, Float64Array, void> {
  const lasting = new Float64Array(voters.length);
  const bounds = boundsOf(voters);
  let all = 0;
  for (let vote = 0; vote < voters.length; vote++) {
    all += bounds[voters[vote]!]!;
    lasting[vote] = all;
    if (vote % VOTES_AT_ONCE === 0) yield;
  }
  for (let vote = 0; vote < voters.length; vote++) {
    lasting[vote] = 0.5 ** ((all - lasting[vote]!) / (HALF_LIFE * all));
    if (vote % VOTES_AT_ONCE === 0) yield;
  }
  return lasting;
}

/** What one of each voter's votes counts. */
function boundsOf(voters: Int32Array): Float64Array {
  const counts = new Float64Array(voters.reduce((most, voter) => Math.max(most, voter), -1) + 1);
  for (const voter of voters) counts[voter]!++;
  return counts.map(weightOf);
}

function joined(all: readonly Rows[]): Rows {
  const sum = (lengthOf: (rows: Rows) => number) => all.reduce((total, rows) => total + lengthOf(rows), 0);
  const [R, length] = [sum(({ weights }) => weights.length), sum(({ features }) => features.length)];
  const [starts, features, values] = [new Int32Array(R + 1), new Int32Array(length), new Int32Array(length)];
  const [weights, won] = [new Float64Array(R), new Float64Array(R)];
  let [row, at] = [0, 0];
  for (const rows of all) {
    starts.set(
      rows.starts.map((start) => start + at),
      row,
    );
    features.set(rows.features, at);
    values.set(rows.values, at);
    weights.set(rows.weights, row);
    won.set(rows.won, row);
    row += rows.weights.length;
    at += rows.features.length;
  }
  return { starts, features, values, weights, won };
}
