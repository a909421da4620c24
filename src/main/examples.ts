import type { Example } from "local-discord";

/** Commands to press on the local Discord's page: of the miniature those that it draws well, else any. */
export const examplesOf = (isMiniature: boolean): readonly Example[] => [
  { command: "compare", options: { prompt: "A cat in the rain" } },
  { command: "optimize", options: { prompt: "A fantasy castle" } },
  ...(isMiniature
    ? [
        { command: "compare", options: { prompt: "A fox in the snow", speed: "turbo" } },
        {
          command: "compare",
          options: { prompt: "A red apple and a blue car", rewriter: "promptist", against: "magicprompt" },
        },
        { command: "grid", options: { prompt: "an owl", x: "steps=4,10,20" } },
      ]
    : []),
];
