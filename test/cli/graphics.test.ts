import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { graphicsCards } from "../../src/cli/parts/graphics.js";
import { temporaryFolder } from "../support/app.js";

/** What the system's programs print, by stand-ins of their names first in the PATH. */
describe.skipIf(process.platform === "win32")("the graphics cards", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
    for (const name of ["nvidia-smi", "lspci"]) standIn(name, "exit 9");
    vi.stubEnv("PATH", `${folder.path}${delimiter}${process.env.PATH}`);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    folder.remove();
  });

  function standIn(name: string, script: string): void {
    mkdirSync(folder.path, { recursive: true });
    writeFileSync(join(folder.path, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder.path, name), 0o755);
  }

  test("are those that nvidia-smi names, with the driver's version", async () => {
    standIn("nvidia-smi", 'printf "NVIDIA GeForce RTX 2060, 550.54.14\\nTesla T4, 550.54.14\\n"');
    expect(await graphicsCards()).toEqual([
      { name: "NVIDIA GeForce RTX 2060", driver: "550.54.14" },
      { name: "Tesla T4", driver: "550.54.14" },
    ]);
  });

  test("are those that lspci names, if nvidia-smi names none", async () => {
    standIn("nvidia-smi", 'echo "No devices were found"');
    standIn(
      "lspci",
      [
        'echo "00:00.0 Host bridge: Intel Corporation Device 9b61 (rev 0c)"',
        'echo "00:02.0 VGA compatible controller: Intel Corporation UHD Graphics (rev 02)"',
        'echo "01:00.0 3D controller: NVIDIA Corporation TU117M [GeForce MX450]"',
      ].join("\n"),
    );
    expect(await graphicsCards()).toEqual([
      { name: "Intel Corporation UHD Graphics", driver: null },
      { name: "NVIDIA Corporation TU117M [GeForce MX450]", driver: null },
    ]);
  });

  test("are unknown if neither program tells", async () => {
    expect(await graphicsCards()).toEqual([]);
  });
});
