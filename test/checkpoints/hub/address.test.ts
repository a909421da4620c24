import { describe, expect, it } from "vitest";
import { parsePullName } from "../../../src/checkpoints/hub/address.js";
import { InputError } from "../../../src/core/errors.js";

const HUB = "https://huggingface.co";
const parts = (name: string, endpoint = HUB) => {
  const { repo, revision, path, folder } = parsePullName(name, endpoint);
  return { repo, revision, path, folder };
};
const FILE = {
  repo: "org/name",
  revision: "main",
  path: "a b.safetensors",
  folder: "org--name--a b.safetensors",
};

describe("what pull takes", () => {
  it.each([
    "org/name/a b.safetensors",
    "org/name:a b.safetensors",
    "https://huggingface.co/org/name/blob/main/a%20b.safetensors",
    "https://huggingface.co/org/name/resolve/main/a%20b.safetensors?download=true",
    "<https://huggingface.co/org/name/raw/main/a%20b.safetensors#top>",
    " huggingface.co/org/name/blob/main/a%20b.safetensors ",
    "https://hf.co/org/name/blob/main/a%20b.safetensors",
    "http://www.huggingface.co/org/name/blob/main/a%20b.safetensors",
  ])("%s is a file", (name) => {
    expect(parts(name)).toEqual(FILE);
  });

  it.each([
    ["org/name", { repo: "org/name", revision: "main", path: "", folder: "org--name" }],
    [
      "https://huggingface.co/org/name",
      { repo: "org/name", revision: "main", path: "", folder: "org--name" },
    ],
    ["hf://org/name", { repo: "org/name", revision: "main", path: "", folder: "org--name" }],
    ["org/name@v2", { repo: "org/name", revision: "v2", path: "", folder: "org--name" }],
    ["org/name@refs/pr/1", { repo: "org/name", revision: "refs/pr/1", path: "", folder: "org--name" }],
    [
      "org/name@v2:sub/x.pt",
      { repo: "org/name", revision: "v2", path: "sub/x.pt", folder: "org--name--sub--x.pt" },
    ],
    [
      "org/name:sub/folder",
      { repo: "org/name", revision: "main", path: "sub/folder", folder: "org--name--sub--folder" },
    ],
    [
      "https://huggingface.co/org/name/tree/main/sub/",
      { repo: "org/name", revision: "main", path: "sub", folder: "org--name--sub" },
    ],
    [
      "https://huggingface.co/org/name/tree/refs%2Fpr%2F1/sub",
      { repo: "org/name", revision: "refs/pr/1", path: "sub", folder: "org--name--sub" },
    ],
    [
      "https://huggingface.co/org/name/blob/refs/pr/7/x.safetensors",
      { repo: "org/name", revision: "refs/pr/7", path: "x.safetensors", folder: "org--name--x.safetensors" },
    ],
    ["promptist", { repo: "microsoft/Promptist", revision: "main", path: "", folder: "promptist" }],
    [
      "magicprompt",
      {
        repo: "Gustavosta/MagicPrompt-Stable-Diffusion",
        revision: "main",
        path: "",
        folder: "magicprompt",
      },
    ],
    [
      "https://huggingface.co/microsoft/Promptist/tree/main",
      { repo: "microsoft/Promptist", revision: "main", path: "", folder: "promptist" },
    ],
  ])("%s", (name, expected) => {
    expect(parts(name)).toEqual(expected);
  });

  it("an address of a mirror is one of the hub", () => {
    expect(
      parts("http://127.0.0.1:8080/org/name/blob/main/a%20b.safetensors", "http://127.0.0.1:8080/"),
    ).toEqual(FILE);
    expect(
      parts("https://huggingface.co/org/name/blob/main/a%20b.safetensors", "http://127.0.0.1:8080"),
    ).toEqual(FILE);
  });
});

describe("what pull refuses, with what to do", () => {
  it.each([
    [
      "https://civitai.com/models/4384/dreamshaper",
      /is on Civitai, .* Download the file in a browser and put it into/,
    ],
    ["civitai.com/models/4384", /is on Civitai/],
    ["https://civitai.com/api/download/models/128713?type=Model", /is on Civitai/],
    [
      "https://example.org/model.safetensors",
      /is not on the hub\. Only the hub tells what hash .* in a browser/,
    ],
    ["ftp://example.org/model.safetensors", /is not on the hub/],
    ["https://huggingface.co.example.org/org/name", /is not on the hub/],
    ["https://huggingface.co@example.org/org/name", /is not on the hub/],
    ["https://huggingface.co/datasets/org/name", /is no model: it lies under datasets/],
    ["https://huggingface.co/spaces/org/name", /is no model/],
    ["https://huggingface.co/org/name/discussions/3", /is a page of the hub, not a file/],
    ["https://huggingface.co/org", /is no model/],
    ["https://huggingface.co/org/name/blob/main/../../x", /is a page|is no model/],
    ["https://huggingface.co/org/name/blob/main/%2e%2e%2fx.pt", /is no model/],
    ["org/name/../x.pt", /is no model/],
    ["org/name:/etc/passwd", /is no model/],
    ["org/name/a\\b.pt", /is no model/],
    ["org/name/a\u0000b.pt", /is no model/],
    ["org/name@", /is no model/],
    ["", /is no model/],
  ])("%s", (name, sentence) => {
    const attempt = () => parsePullName(name, HUB);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(sentence);
  });
});
