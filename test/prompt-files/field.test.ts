import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { usableRows } from "../../src/bot/commands/batch.js";
import { fileSummary } from "../../src/bot/words/english/batch.js";
import { parsePromptFile } from "../../src/prompt-files/prompt-file.js";

const FOLDER = fileURLToPath(new URL("../golden/prompt-files/", import.meta.url));
const LIMITS = { maxBytes: 262_144, maxPrompts: 100, maxPromptLength: 1000 };

/** What is drawn, each prompt with all of its options, and what is said before. */
function outcome(bytes: Uint8Array, name: string) {
  const { image, rows, notes } = usableRows(
    parsePromptFile(bytes, name, LIMITS),
    { maxSteps: 100 },
    () => false,
  );
  const drawn = rows.map(({ prompt, seed, image: own }) => {
    const options = { ...(seed === undefined ? {} : { seed }), ...image, ...own };
    return Object.keys(options).length === 0 ? prompt : [prompt, options];
  });
  return { drawn, said: fileSummary(notes, rows.length) };
}
const ofFile = (name: string) => outcome(readFileSync(`${FOLDER}${name}`), name);
const ofText = (text: string, name: string) => outcome(Buffer.from(text), name);

const size = (width: number, height: number) => ({ size: { width, height } });
const notUtf8 = (encoding: string) =>
  `The file is not UTF-8, so it is read as \`${encoding}\`. If letters look wrong, save it as UTF-8 and attach it again.`;

/** What is drawn, and what is said. */
const CASES: Readonly<Record<string, readonly [drawn: readonly unknown[], said: readonly string[]]>> = {
  "a1111_promptfile.txt": [
    [
      ["a cat", { seed: 5, steps: 30, negative: "ugly" }],
      ["a dog", { guidance: 9 }],
    ],
    [],
  ],
  "a1111_styles.csv": [
    [["cinematic {prompt}, film grain", { negative: "ugly, blurry" }]],
    [
      "**Left out:**",
      "- line 3: the prompt is empty",
      "**Not understood, and drawn without it:**",
      "- line 2: `{prompt}` is a style's gap for a prompt, and stays as written",
      "Not read: `name`.",
    ],
  ],
  "big5.txt": [["一隻貓在雨中行走，霓虹燈，電影感", "一個女孩站在櫻花樹下，柔和的光線"], [notUtf8("big5")]],
  "bigseed.csv": [[["a cat", { seed: 3944680146 }]], []],
  "comfy.csv": [
    [
      ["a cat", { steps: 20, guidance: 6.5, scheduler: "dpm++2m-karras", speed: "full", negative: "ugly" }],
      ["a dog", { seed: 7, steps: 20, guidance: 8 }],
      ["a fox", { seed: 8, steps: 20, guidance: 8, scheduler: "euler-ancestral", speed: "full" }],
    ],
    [
      "**Not understood, and drawn without it:**",
      "- line 3: `heun` is not a sampler of ours, so the usual one is taken",
      "- line 3: the schedule `karras` is not read",
    ],
  ],
  "cyrillic.txt": [["кот под дождём", "собака, высокая детализация"], [notUtf8("windows-1251")]],
  "decimalcomma.csv": [[["a cat", { guidance: 7.5 }]], []],
  "diffusiondb.csv": [
    [
      ["a cat", { seed: 2615452, steps: 50, guidance: 7, ...size(512, 512) }],
      ["a dog", { seed: 2615453, steps: 50, guidance: 7, ...size(768, 512) }],
    ],
    [
      "**Not understood, and drawn without it:**",
      "- lines 2 and 3: `8` is not a sampler of ours, so the usual one is taken",
      "Not read: `image_name`, `part_id`, `user_name`, `timestamp`, `image_nsfw` and `prompt_nsfw`.",
    ],
  ],
  "drawbench.csv": [["A kettle, painted red.", "A kettle painted black."], ["Not read: `Category`."]],
  "empty_row.csv": [
    [
      ["a cat", { seed: 1 }],
      ["a dog", { seed: 3 }],
    ],
    ["**Left out:**", "- line 3: the prompt is empty"],
  ],
  "excel_ansi.csv": [["a café at dawn", "a piñata, “neon”"], [notUtf8("windows-1252")]],
  "excel_sep2.csv": [["a cat"], ["Not read: `note`."]],
  "gallery.json": [
    [["a cat", { seed: 3944680146 }], ["a dog", { ...size(640, 512) }], "a fox"],
    ["**Left out:**", "- entry 4: neither a text nor an object with `original`", "Not read: `meta`."],
  ],
  "lexica_list.json": [
    [
      ["a cat, 8k", { seed: 3, guidance: 7, ...size(512, 768) }],
      ["a dog", { seed: 4, guidance: 7, ...size(768, 512) }],
    ],
    ["Not read: `id`."],
  ],
  "long.txt": [
    ["a cat", "a dog"],
    ["**Left out:**", "- line 2: longer than 1000 characters"],
  ],
  "mj.txt": [
    [
      ["a cat", { ...size(680, 384) }],
      ["a dog", { negative: "cars, moon" }],
      "a numbered cat",
      "a bulleted dog",
    ],
    [
      "**Not understood, and drawn without it:**",
      "- line 1: `--v 5.2` is not read",
      "- line 1: `--stylize 250` is not read",
      "- line 2: weights such as `::2` are not read",
      "1 line that begins with `#` is skipped.",
    ],
  ],
  "ndjson.json": [["a cat", "a dog"], []],
  "negcol.csv": [[["a cat", { steps: 2, negative: "ugly" }]], []],
  "nested_null.json": [
    ["a cat", "a dog"],
    [
      "**Left out:**",
      "- entry 2: neither a text nor an object with `original`",
      "- entry 4: the prompt is empty",
    ],
  ],
  "notepad_ansi.txt": [["a café at dawn", "a piñata"], [notUtf8("windows-1252")]],
  "obj_prompts.json": [["a cat in the rain", "a dog, highly detailed, 8k", "a tree at night"], []],
  "parameters.txt": [
    [
      [
        "a cat, <lora:fur:1>",
        {
          seed: 99,
          steps: 25,
          guidance: 6.5,
          scheduler: "dpm++2m-karras",
          speed: "full",
          ...size(512, 768),
          negative: "ugly, (blurry:1.2)",
        },
      ],
      "a dog",
    ],
    ["**Not understood, and drawn without it:**", "- line 1: `Clip skip` is not read"],
  ],
  "parti.tsv": [["a cat", "hope"], ["Not read: `Category`, `Challenge` and `Note`."]],
  "polish.txt": [["kot w deszczu, żółte światło", "stara wieża"], [notUtf8("windows-1250")]],
  "quotes2.csv": [['"cinematic" photo of a cat', "a dog"], []],
  "ranges.csv": [
    [["a cat", { steps: 20, ...size(512, 512) }], "a bee"],
    [
      "**Left out:**",
      "- line 4: `steps` is not a whole number from 0 on",
      "- line 3: The option steps takes a whole number from 1 to 100",
      "- line 5: The option size takes a size such as `512x768`, both sides multiples of 8 from 64 to 1024",
    ],
  ],
  "scheduler.csv": [[["a cat", { guidance: 7, scheduler: "euler-ancestral", speed: "full" }]], []],
  "shift_jis.csv": [
    [
      ["夜の街を歩く猫、雨", { seed: 3 }],
      ["桜の下で眠る犬", { seed: 4 }],
    ],
    [notUtf8("shift_jis")],
  ],
  "single.json": [[["a cat", { steps: 30, guidance: 7, scheduler: "euler", speed: "full" }]], []],
  "text.csv": [["a cat"], ["Not read: `id`."]],
  "utf16_nobom.txt": [["a cat", "a dog"], [notUtf8("utf-16le")]],
  "weights.txt": [
    [
      "(masterpiece:1.3), [blurry], ((cat)), <lora:add_detail:0.8>, BREAK, a dog AND a tree :1.2",
      "{red|blue} __animal__ cat, [cat:dog:0.5]",
      ["🐱👩‍👩‍👧 a cat ✨ émoji ﬁ ½", { negative: "ugly" }],
      "a \\(escaped\\) cat",
      "embedding:easynegative, a cat",
    ],
    [],
  ],
};

describe("a file as people have it", () => {
  it.each(Object.entries(CASES))("%s", (name, [drawn, said]) => {
    expect(ofFile(name)).toEqual({ drawn, said });
  });

  it("is in the table, whatever lies in the folder", () => {
    const rest = readdirSync(FOLDER).filter((name) => !Object.hasOwn(CASES, name));
    expect(rest).toEqual(["README.md", "many.txt"]);
  });

  it.each<[name: string, text: string, drawn: unknown[]]>([
    [
      "a.txt",
      "1) a cat\n* a dog\n- [ ] a fox\n3.5 metres tall\n--- \n-1 girl",
      ["a cat", "a dog", "a fox", "3.5 metres tall", "---", "-1 girl"],
    ],
    ["a.txt", "a cat's life -- a well--known tale", ["a cat's life -- a well--known tale"]],
    ["a.txt", 'say "hi --steps 3" --steps 4', [['say "hi --steps 3"', { steps: 4 }]]],
    [
      "a.txt",
      "a cat \u2014ar 1:1 --seed -1 --no dogs, cars",
      [["a cat", { ...size(512, 512), negative: "dogs, cars" }]],
    ],
    [
      "a.txt",
      '--sampler_name "DPM++ 2M Karras" --prompt "a \\"big\\" cat"',
      [['a "big" cat', { scheduler: "dpm++2m-karras", speed: "full" }]],
    ],
    ["a.csv", "SEP=\\t\nPrompt\tCFG Scale\na, b\t7,5\n", [["a, b", { guidance: 7.5 }]]],
    ["a.csv", "prompt|seed\na cat|-1\n", ["a cat"]],
    ["a.csv", "prompt\na cat, wet\n", ["a cat, wet"]],
    [
      "a.csv",
      'prompt,seed\n"a" cat,1\n"a, dog",2\n"a fox\n',
      [['"a" cat', { seed: 1 }], ["a, dog", { seed: 2 }], '"a fox'],
    ],
    [
      "a.csv",
      "caption,negative,seed\na cat,none,4.0\na dog,,-5\n",
      [
        ["a cat", { seed: 4 }],
        ["a dog", { seed: 4294967291 }],
      ],
    ],
    ["a.json", '{"a": {"data": [{"Prompt": "a cat"}, "a dog"]}}', ["a cat", "a dog"]],
    ["a.json", '{"0": "a cat", "1": "a dog"}', ["a cat", "a dog"]],
    [
      "a.json",
      '{"prompt": ["a cat", "a dog"], "steps": 9}',
      [
        ["a cat", { steps: 9 }],
        ["a dog", { steps: 9 }],
      ],
    ],
    ["a.jsonl", '{"prompt":"a cat"}\nnonsense\n{"text":"a dog"}', ["a cat", "a dog"]],
    ["a.ndjson", '{"prompt":"a cat"}', ["a cat"]],
    ["a.csv", "original,optimized\na cat --steps 3,a fine cat --steps 3\n", ["a cat --steps 3"]],
  ])("%s of %j", (name, text, drawn) => {
    expect(ofText(text, name).drawn).toEqual(drawn);
  });

  it("many.txt: the first hundred are taken", () => {
    const { drawn, said } = ofFile("many.txt");
    expect(drawn).toHaveLength(100);
    expect(drawn[99]).toBe("a cat number 99");
    expect(said).toEqual([
      "Only the first 100 prompts of the file are taken; 1 more is left out. Put them into another file.",
    ]);
  });
});
