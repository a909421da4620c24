import { readPicture } from "../../pictures/read-picture.js";
import { Judge } from "../judging/judge.js";
import { openDevice } from "../runtime/open-device.js";
import { planOn, plansToTry, precisionOf } from "../runtime/precision.js";
import type { ScoreSpec } from "./protocol.js";
import type { LoadedModel, OnDevice } from "./worker-model.js";

/**
 * The judging worker's model: only the judges, for picture files.
 * @throws CheckpointError or InferenceError like `Judge.open`
 */
export async function loadJudges(spec: ScoreSpec, onDevice: OnDevice = () => {}): Promise<LoadedModel> {
  const { cacheDir, judges, threads } = spec;
  const plans = plansToTry(spec.precision);
  const device = await openDevice(spec.device, { user: "image", plans, cacheDir });
  onDevice(device.name);
  const precision = precisionOf(planOn(device, spec.precision));
  const judge = await Judge.open({ files: judges, device, precision, cacheDir, threads });
  return {
    info: {
      device: device.name,
      deviceNote: device.note,
      notes: [],
      precision,
      weightBytes: judge.weightBytes,
      hash: null,
      parameters: [judge.name, judges.safety && "safety checker"].filter(Boolean).join(", "),
    },
    handlers: {
      readTexts: async ({ texts }) => {
        await judge.readTexts(texts);
        return texts.length;
      },
      judge: async ({ file, plainPrompt }) => judge.judge(await readPicture(file), plainPrompt),
    },
    release: async () => {
      await judge.release();
    },
  };
}
