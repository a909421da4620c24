import { compileGraph } from "../../../src/checkpoints/compile.js";
import { openGpt2 as openFiles } from "../../../src/checkpoints/layouts/gpt2-files.js";
import { Decoder } from "../../../src/inference/promptist/decoder.js";
import type { Device } from "../../../src/inference/runtime/device.js";
import { arithmeticOn } from "../../../src/inference/runtime/device-check.js";
import { Session } from "../../../src/inference/runtime/session.js";
import { type Gpt2Layout, type Gpt2Weights, gpt2Graph, gpt2Layout } from "../../../src/models/gpt2.js";

/** A decoder for one of the small checkpoints, which have no tokenizer of their own. */
export async function openGpt2(
  directory: string,
  cacheDir: string,
  layout: Gpt2Weights | Gpt2Layout,
  device: Device = { name: "cpu", note: null },
): Promise<{ decoder: Decoder; release: () => Promise<void> }> {
  const { config, weights } = openFiles(directory);
  const kept = typeof layout === "string" ? gpt2Layout(layout, device.name) : layout;
  const graph = await compileGraph(gpt2Graph(config, await arithmeticOn(device, "fp32"), kept), weights(), {
    cacheDir,
  });
  const session = await Session.open("GPT-2", graph, device, { threads: 2 });
  return { decoder: new Decoder(session, config), release: () => session.release() };
}
