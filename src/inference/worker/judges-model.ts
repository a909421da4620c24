import { Judge } from "../judging/judge.js";
import { readPicture } from "../judging/read-picture.js";
import { openDevice } from "../runtime/open-device.js";
import { floatsToTry, precisionOn } from "../runtime/precision.js";
import type { ScoreSpec } from "./protocol.js";
import type { OpenModel } from "./worker-model.js";

/**
 * The judges alone, for picture files.
 * @throws CheckpointError or InferenceError as `Judge.open`
 */
export async function openScorer(spec: ScoreSpec): Promise<OpenModel> {
  const { cacheDir, judges, threads } = spec;
  const floats = floatsToTry(spec.precision);
  const device = await openDevice(spec.device, { user: "image", floats, cacheDir });
  const precision = precisionOn(device, spec.precision);
  const judge = await Judge.open({ files: judges, device, precision, cacheDir, threads });
  return {
    info: {
      device: device.name,
      deviceNote: device.note,
      precision,
      weightBytes: judge.weightBytes,
      hash: null,
      parameters: [judge.name, judges.safety && "safety checker"].filter(Boolean).join(", "),
    },
    handlers: {
      judge: async ({ file, plainPrompt }) => judge.judge(await readPicture(file), plainPrompt),
    },
    release: () => judge.release(),
  };
}
