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
  /** Those of all servers. */
  readonly votes: Votes;
  /** The number of the one that is fitted. */
  readonly server: number;
  /** What is known of the others; null to learn it from their votes. */
  readonly others: Others | null;
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
export function* fitTaste({ votes, server, others: known }: FitTask): Generator<void, Fitted, void> {
  const bounds = boundsOf(votes.voters);
  const others = known ?? (yield* othersOf(votes, server, bounds));
  const own = yield* chosen(votes, (one) => one === server);
  // By how much phrases differ does not age, so that is learned from all votes alike.
  const rows = { ...own, ...(yield* counted(votes, own, bounds)) };
  const { posterior: ageless, phraseVariance } = yield* scaled(rows, others);
  const aged = { ...own, ...(yield* counted(votes, own, bounds, yield* lastingOf(votes, own, bounds))) };
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

function* othersOf(votes: Votes, server: number, bounds: Float64Array): Generator<void, Others | null, void> {
  const theirs = yield* chosen(votes, (one) => one !== server);
  if (theirs.starts.length === 1) return null;
  const rows = { ...theirs, ...(yield* counted(votes, theirs, bounds)) };
  const { found, posterior, phraseVariance } = yield* scaled(rows, null);
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

/** The pairs of some servers. */
interface Chosen extends Pick<Rows, "starts" | "features" | "values"> {
  /** The row of each of all pairs; -1 of those that were left out, [P]. */
  readonly rowOf: Int32Array;
}

function* chosen(votes: Votes, isIn: (server: number) => boolean): Generator<void, Chosen, void> {
  const { servers } = votes;
  const rowOf = new Int32Array(servers.length).fill(-1);
  const starts = [0];
  for (let pair = 0; pair < servers.length; pair++) {
    if (pair % VOTES_AT_ONCE === 0) yield;
    if (!isIn(servers[pair]!)) continue;
    rowOf[pair] = starts.length - 1;
    starts.push(starts.at(-1)! + votes.starts[pair + 1]! - votes.starts[pair]!);
  }
  const features = new Int32Array(starts.at(-1)!);
  const values = new Int32Array(features.length);
  for (let pair = 0; pair < servers.length; pair++) {
    if (pair % VOTES_AT_ONCE === 0) yield;
    const row = rowOf[pair]!;
    if (row < 0) continue;
    const [from, to] = [votes.starts[pair]!, votes.starts[pair + 1]!];
    features.set(votes.features.subarray(from, to), starts[row]!);
    values.set(votes.values.subarray(from, to), starts[row]!);
  }
  return { rowOf, starts: Int32Array.from(starts), features, values };
}

/** The votes on each of the chosen pairs, each person's bounded; `lasting` has what counts of each by its age, [V]. */
function* counted(
  { pairs, voters, won }: Votes,
  { rowOf, starts }: Chosen,
  bounds: Float64Array,
  lasting?: Float64Array,
): Generator<void, Pick<Rows, "weights" | "won">, void> {
  const weights = new Float64Array(starts.length - 1);
  const wins = new Float64Array(weights.length);
  for (let vote = 0; vote < pairs.length; vote++) {
    if (vote % VOTES_AT_ONCE === 0) yield;
    const row = rowOf[pairs[vote]!]!;
    if (row < 0) continue;
    const count = bounds[voters[vote]!]! * (lasting?.[vote] ?? 1);
    weights[row]! += count;
    wins[row]! += count * won[vote]!;
  }
  return { weights, won: wins };
}

/**
 * How much of each vote on the chosen pairs counts by its age, which is how many of them came after it, [V]. Each
 * person's are bounded there too, or a flood of votes would make all others old.
 */
function* lastingOf(
  { pairs, voters }: Votes,
  { rowOf }: Chosen,
  bounds: Float64Array,
): Generator<void, Float64Array, void> {
  const lasting = new Float64Array(voters.length);
  let all = 0;
  for (let vote = 0; vote < voters.length; vote++) {
    if (vote % VOTES_AT_ONCE === 0) yield;
    if (rowOf[pairs[vote]!]! >= 0) all += bounds[voters[vote]!]!;
    lasting[vote] = all;
  }
  for (let vote = 0; vote < voters.length; vote++) {
    if (vote % VOTES_AT_ONCE === 0) yield;
    lasting[vote] = 0.5 ** ((all - lasting[vote]!) / (HALF_LIFE * all));
  }
  return lasting;
}

/** What one of each voter's votes counts. */
function boundsOf(voters: Int32Array): Float64Array {
  const counts = new Float64Array(voters.reduce((most, voter) => Math.max(most, voter), -1) + 1);
  for (const voter of voters) counts[voter]!++;
  return counts.map(weightOf);
}
