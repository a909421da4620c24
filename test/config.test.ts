import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { envExample, loadConfig, VARIABLES } from "../src/config.js";
import { DEFAULT_TEXT_OPTIONS } from "../src/core/options.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "promptist-config-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test(".env.example lists exactly the variables, with their defaults and meanings", () => {
  const committed = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
  expect(committed).toBe(envExample());
  const keys = [...committed.matchAll(/^#([A-Z_]+)=/gm)].map((match) => match[1]);
  expect(keys).toEqual(Object.keys(VARIABLES));
});

test("an empty environment gives the options of Promptist's demo and Stable Diffusion's defaults", () => {
  const config = loadConfig({}, root);
  expect(config.text).toEqual({ ...DEFAULT_TEXT_OPTIONS, rewriter: "promptist" });
  expect(config.image).toEqual({
    steps: 50,
    guidance: null,
    negative: "",
    size: null,
    scheduler: "pndm",
    prompts: "diffusers",
  });
  expect(config.databaseFile).toBe(join(root, "data", "promptist.sqlite"));
  expect(Object.isFrozen(config)).toBe(true);
});

test("the environment overrides .env, which overrides the defaults", () => {
  writeFileSync(join(root, ".env"), "IMAGE_STEPS=20\nIMAGE_SIZE=256x320\nTEXT_BEAMS=4\n");
  const config = loadConfig({ IMAGE_STEPS: "30", TEXT_BEAMS: "" }, root);
  expect(config.image.steps).toBe(30);
  expect(config.image.size).toEqual({ width: 256, height: 320 });
  expect(config.text.beams).toBe(8);
});

test("all wrong values and misspelt names are reported at once, without the token", () => {
  writeFileSync(join(root, ".env"), "DISCORD_TOKN=secret\nIMAGE_STEPS=many\n");
  const load = () => loadConfig({ DEVICE: "gpu", DISCORD_TOKEN: "hush-hush" }, root);
  expect(load).toThrowError(/DISCORD_TOKN; did you mean DISCORD_TOKEN\?/);
  expect(load).toThrowError(/IMAGE_STEPS=many/);
  expect(load).toThrowError(/DEVICE=gpu/);
  expect(load).not.toThrowError(/hush-hush|secret/);
});

test("ports are whole numbers of 16 bits, and the operator's panel has none by default", () => {
  expect(loadConfig({}, root).OPERATOR_PORT).toBe(0);
  expect(loadConfig({ OPERATOR_PORT: "8421" }, root).OPERATOR_PORT).toBe(8421);
  for (const key of ["OPERATOR_PORT", "METRICS_PORT", "LOCAL_DISCORD_PORT"])
    for (const wrong of ["-1", "65536", "80.5", "http"])
      expect(() => loadConfig({ [key]: wrong }, root), `${key}=${wrong}`).toThrowError(`${key}=${wrong}`);
});

test("the miniature is that of the checkpoints folder, else the program's own", () => {
  const own = fileURLToPath(new URL("../checkpoints/miniature", import.meta.url));
  expect(loadConfig({}, root)).toMatchObject({
    checkpointsDir: join(root, "checkpoints"),
    miniatureDir: own,
  });
  mkdirSync(join(root, "checkpoints", "miniature"), { recursive: true });
  expect(loadConfig({}, root).miniatureDir).toBe(join(root, "checkpoints", "miniature"));
});

test("the cache of Hugging Face's programs is found as they find it", () => {
  const cacheIn = (environment: Record<string, string>) => loadConfig(environment, root).hubCacheDir;
  const home = join(root, "home");
  expect(cacheIn({})).toBeUndefined();
  expect(cacheIn({ HOME: home })).toBe(join(home, ".cache", "huggingface", "hub"));
  expect(cacheIn({ USERPROFILE: home })).toBe(join(home, ".cache", "huggingface", "hub"));
  expect(cacheIn({ HOME: home, XDG_CACHE_HOME: join(root, "xdg") })).toBe(
    join(root, "xdg", "huggingface", "hub"),
  );
  expect(cacheIn({ HOME: home, HF_HOME: "~/hf" })).toBe(join(home, "hf", "hub"));
  expect(cacheIn({ HOME: home, HF_HOME: "~/hf", HF_HUB_CACHE: "models" })).toBe(join(root, "models"));
});

test("HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE forbid downloads", () => {
  for (const key of ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]) {
    for (const yes of ["1", "ON", "yes", "True"])
      expect(loadConfig({ [key]: yes }, root).isOffline).toBe(true);
    for (const no of ["", "0", "off", "no", "false"])
      expect(loadConfig({ [key]: no }, root).isOffline).toBe(false);
  }
});

test("MODELS_DIRS is a list of folders, whose names may have spaces and commas", () => {
  const dirsIn = (MODELS_DIRS: string) =>
    loadConfig({ MODELS_DIRS, HOME: join(root, "home") }, root).modelsDirs;
  mkdirSync(join(root, "with, comma"));
  expect(dirsIn("")).toEqual([]);
  expect(dirsIn("a1111, my models;~/comfy")).toEqual([
    join(root, "a1111"),
    join(root, "my models"),
    join(root, "home", "comfy"),
  ]);
  expect(dirsIn("a1111,with, comma,a1111,")).toEqual([join(root, "a1111"), join(root, "with, comma")]);
  expect(dirsIn(`"${join(root, "quoted")}"`)).toEqual([join(root, "quoted")]);
  const list = [join(root, "one"), join(root, "two")];
  expect(dirsIn(list.join(delimiter))).toEqual(list);
});

test("EMBEDDINGS names files and folders, from where the program is", () => {
  const paths = ["a.pt", join(root, "b c")];
  expect(loadConfig({}, root).embeddings).toEqual([]);
  expect(loadConfig({ EMBEDDINGS: ` ${paths.join(" , ")},` }, root).embeddings).toEqual([
    join(root, "a.pt"),
    paths[1],
  ]);
});
