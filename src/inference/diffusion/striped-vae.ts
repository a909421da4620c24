import { type CompiledGraph, compileGraph } from "../../checkpoints/compile.js";
import type { Weights } from "../../checkpoints/files/weights.js";
import { decoderStages, type VaeConfig, vaeDecoderStart } from "../../models/vae-decoder.js";
import { encoderStages, vaeEncoderEnd } from "../../models/vae-encoder.js";
import {
  rowsSeen,
  STRIPE_VALUES,
  stripeRows,
  stripeStage,
  VAE_EPSILON,
  type VaeStage,
} from "../../models/vae-stages.js";
import type { Arithmetic, Graph } from "../../onnx/graph.js";
import { type Outputs, type Session, Tensor } from "../runtime/session.js";

/** Half of an autoencoder, cut into graphs that are run one after the other. */
export interface StripedGraphs {
  /** Runs whole, before the stages; its output is `y`. */
  readonly start: CompiledGraph | null;
  readonly stages: readonly { readonly stage: VaeStage; readonly graph: CompiledGraph }[];
  /** Runs whole, after the stages, with an input `x`. */
  readonly end: CompiledGraph | null;
  /** Groups of all norms. */
  readonly groups: number;
}

/**
 * Compiles half of a VAE, the one with this output, as graphs that are computed in stripes. `queryChunks`: see
 * `attention`.
 * @throws CheckpointError if the weights have no such half
 */
export async function compileStriped(
  output: "image" | "moments",
  arithmetic: Arithmetic,
  queryChunks: number,
  from: { readonly config: VaeConfig; readonly weights: Weights; readonly cacheDir: string },
): Promise<StripedGraphs> {
  const { config, weights, cacheDir } = from;
  const groups = config.norm_num_groups;
  const compile = (graph: Graph) => compileGraph(graph, weights, { cacheDir, unused: [/./] });
  const isDecoder = output === "image";
  const whole = await compile((isDecoder ? vaeDecoderStart : vaeEncoderEnd)(config, arithmetic, queryChunks));
  const stages: { stage: VaeStage; graph: CompiledGraph }[] = [];
  for (const stage of (isDecoder ? decoderStages : encoderStages)(config))
    stages.push({ stage, graph: await compile(stripeStage(stage, groups, arithmetic)) });
  return { start: isDecoder ? whole : null, stages, end: isDecoder ? null : whole, groups };
}

/** What all channels hold at each place of a picture: [channels, height, width] */
interface FeatureMap {
  readonly data: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * A VAE that computes one horizontal stripe at a time and has one graph loaded at a time: the device holds a stripe,
 * and this process two or three whole maps. The numbers are those of the whole, for the norms' statistics are taken
 * of whole maps.
 */
export class StripedVae<Output extends "image" | "moments"> {
  constructor(
    private readonly output: Output,
    private readonly graphs: StripedGraphs,
    private readonly open: (graph: CompiledGraph) => Promise<Session>,
    private readonly stripeValues: number = STRIPE_VALUES,
  ) {}

  /** Runs all graphs; the input is that of the whole, [1, channels, h, w]. */
  async run(feeds: Readonly<Record<string, Tensor>>): Promise<Outputs<Output>> {
    const { start, stages, end, groups } = this.graphs;
    const [given] = Object.values(feeds);
    if (given === undefined) throw new Error("a VAE has an input");
    let x = mapOf(start === null ? given : await this.#runWhole(start, feeds, "y"));
    let before = x;
    for (const { stage, graph } of stages) {
      const rows = stripeRows(stage, x.width, this.stripeValues);
      const y = await this.#withSession(graph, (session) =>
        inStripes(session, stage, groups, { x, before, rows }),
      );
      before = x;
      x = y;
    }
    const last = tensorOf(x);
    const result = end === null ? last : await this.#runWhole(end, { x: last }, this.output);
    return { [this.output]: result } as Outputs<Output>;
  }

  /** Nothing stays loaded between two runs. */
  async release(): Promise<void> {}

  async #runWhole(
    graph: CompiledGraph,
    feeds: Readonly<Record<string, Tensor>>,
    output: string,
  ): Promise<Tensor> {
    const results = await this.#withSession(graph, (session) => session.run(feeds));
    return results[output] as Tensor;
  }

  async #withSession<T>(graph: CompiledGraph, use: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.open(graph);
    try {
      return await use(session);
    } finally {
      await session.release();
    }
  }
}

async function inStripes(
  session: Session,
  stage: VaeStage,
  groups: number,
  { x, before, rows }: { readonly x: FeatureMap; readonly before: FeatureMap; readonly rows: number },
): Promise<FeatureMap> {
  const { to, factor, added, isNormed } = stage;
  const [height, width] = [x.height * factor, x.width * factor];
  const y: FeatureMap = { data: new Float32Array(to * height * width), channels: to, height, width };
  const statistics = isNormed ? statisticsOf(x, groups) : {};
  for (let start = 0; start < height; start += rows) {
    const seen = rowsSeen(stage, start, Math.min(height, start + rows), x.height);
    const { y: stripe } = (await session.run({
      x: tensorOf(rowsOf(x, seen)),
      ...(added === null ? {} : { before: tensorOf(rowsOf(before, seen)) }),
      ...statistics,
      start: new Tensor("int64", [BigInt(seen.start)], [1]),
      end: new Tensor("int64", [BigInt(seen.end)], [1]),
    })) as Outputs<"y">;
    setRows(y, start, mapOf(stripe));
  }
  return y;
}

/** Mean of each group of channels, and the root of its variance with the norm's epsilon, summed in float64. */
function statisticsOf({ data }: FeatureMap, groups: number): Record<"mean" | "deviation", Tensor> {
  const mean = new Float32Array(groups);
  const deviation = new Float32Array(groups);
  const count = data.length / groups;
  for (let group = 0; group < groups; group++) {
    let sum = 0;
    let squares = 0;
    for (let i = group * count; i < (group + 1) * count; i++) {
      const value = data[i]!;
      sum += value;
      squares += value * value;
    }
    const average = sum / count;
    mean[group] = average;
    deviation[group] = Math.sqrt(Math.max(0, squares / count - average * average) + VAE_EPSILON);
  }
  return {
    mean: new Tensor("float32", mean, [groups]),
    deviation: new Tensor("float32", deviation, [groups]),
  };
}

/** The rows `from` to `to` of all channels. */
function rowsOf(
  { data, channels, height, width }: FeatureMap,
  { from, to }: { readonly from: number; readonly to: number },
): FeatureMap {
  const size = (to - from) * width;
  const rows = new Float32Array(channels * size);
  for (let c = 0; c < channels; c++)
    rows.set(data.subarray((c * height + from) * width, (c * height + to) * width), c * size);
  return { data: rows, channels, height: to - from, width };
}

function setRows(into: FeatureMap, start: number, rows: FeatureMap): void {
  const size = rows.height * rows.width;
  for (let c = 0; c < rows.channels; c++)
    into.data.set(rows.data.subarray(c * size, (c + 1) * size), (c * into.height + start) * into.width);
}

const mapOf = ({ data, dims }: Tensor): FeatureMap => {
  const [, channels, height, width] = dims as [number, number, number, number];
  return { data: data as Float32Array, channels, height, width };
};

const tensorOf = ({ data, channels, height, width }: FeatureMap): Tensor =>
  new Tensor("float32", data, [1, channels, height, width]);
