import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A graphics card as the system names it. */
export interface GraphicsCard {
  readonly name: string;
  /** Version of its driver; null where the system does not say. */
  readonly driver: string | null;
}

/** A driver that hangs must not hold up what only wants a name. */
const LONGEST_MS = 5_000;

/**
 * The graphics cards of this machine, as far as `nvidia-smi` or `lspci` tells; none if neither is there.
 * ONNX Runtime itself names neither adapter nor driver.
 */
export async function graphicsCards(): Promise<GraphicsCard[]> {
  const query = ["--query-gpu=name,driver_version", "--format=csv,noheader"];
  const cards = readNvidia(await printed("nvidia-smi", query));
  return cards.length > 0 ? cards : readPci(await printed("lspci", []));
}

/** Lines such as "NVIDIA GeForce RTX 2060, 550.54.14". */
const readNvidia = (text: string): GraphicsCard[] =>
  linesOf(text).flatMap((line) => {
    const [, name, driver] = /^(.+), ([\d.]+)$/.exec(line) ?? [];
    return name === undefined || driver === undefined ? [] : [{ name, driver }];
  });

/** Lines such as "01:00.0 VGA compatible controller: Intel Corporation UHD Graphics 620 (rev 07)". */
const readPci = (text: string): GraphicsCard[] =>
  linesOf(text).flatMap((line) => {
    const [, name] =
      /^\S+ (?:VGA compatible|3D|Display) controller: (.+?)(?: \(rev \w+\))?$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, driver: null }];
  });

const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** What a program prints; nothing if it is not there or fails, as `nvidia-smi` does without a card. */
async function printed(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: LONGEST_MS, windowsHide: true });
    return stdout;
  } catch {
    return "";
  }
}
