import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileGraph } from "../../../src/checkpoints/compile.js";
import { openWeights } from "../../../src/checkpoints/files/open.js";
import { Decoder } from "../../../src/inference/promptist/decoder.js";
import type { Device } from "../../../src/inference/runtime/device.js";
import { Session } from "../../../src/inference/runtime/session.js";
import {
  type Gpt2Layout,
  type Gpt2Weights,
  gpt2Graph,
  gpt2Layout,
  parseGpt2Config,
} from "../../../src/models/gpt2.js";

/** A decoder over one of the small checkpoints, which have no tokenizer of their own. */
export async function openGpt2(
  directory: string,
  cacheDir: string,
  layout: Gpt2Weights | Gpt2Layout,
  device: Device = { name: "cpu", note: null },
): Promise<{ decoder: Decoder; release: () => Promise<void> }> {
  const config = parseGpt2Config(JSON.parse(readFileSync(join(directory, "config.json"), "utf8")), directory);
  const weights = openWeights(directory);
  const prefix = weights.names.some((name) => name.startsWith("transformer.")) ? "transformer." : "";
  const graph = await compileGraph(
    gpt2Graph(config, typeof layout === "string" ? gpt2Layout(layout, device.name) : layout, prefix),
    weights,
    { cacheDir, unused: [/attn\.(masked_)?bias$/, /^lm_head\.weight$/] },
  );
  const session = await Session.open("GPT-2", graph, device, { threads: 2 });
  return { decoder: new Decoder(session, config), release: () => session.release() };
}
